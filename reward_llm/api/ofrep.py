"""Evaluates scenarios as OpenFeature's flags.

    body ─► who it is for ─► board ─► value, reason, metadata
`reward_llm.domain.evaluation` has the reasons.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from reward_llm.api.body import parse_json, validated
from reward_llm.api.lookup_context import LookupContext
from reward_llm.api.wire.ofrep import (
    BulkEvaluationFailure,
    ErrorCode,
    Evaluation,
    EvaluationContext,
    EvaluationFailure,
    EvaluationRequest,
    FlagMetadata,
    FlagValue,
)
from reward_llm.domain.evaluation import reason_of
from reward_llm.domain.scenario import Scope
from reward_llm.domain.serving import ServedWeights
from reward_llm.errors import (
    BodyMalformed,
    ContextInvalid,
    RewardLLMError,
    ScenarioUnknown,
    SegmentUnknown,
)

MAX_DETAILS_CHARS: Final = 1_000
"""Of what is wrong with an evaluation; a scenario may have 10,000 segments to name."""
STATUS: Final[Mapping[ErrorCode, int]] = MappingProxyType(
    {ErrorCode.PARSE_ERROR: 400, ErrorCode.INVALID_CONTEXT: 400, ErrorCode.FLAG_NOT_FOUND: 404}
)
_CODES: Final[Mapping[type[RewardLLMError], ErrorCode]] = MappingProxyType(
    {
        BodyMalformed: ErrorCode.PARSE_ERROR,
        ContextInvalid: ErrorCode.INVALID_CONTEXT,
        SegmentUnknown: ErrorCode.INVALID_CONTEXT,
        ScenarioUnknown: ErrorCode.FLAG_NOT_FOUND,
    }
)
EVALUATION_ERRORS: Final = (BodyMalformed, ContextInvalid, SegmentUnknown, ScenarioUnknown)
"""What the protocol has a code for."""
_ETAG_DIGITS: Final = 32
_NOBODY: Final = EvaluationContext()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """A flag, and what an entity tag over it is taken of."""

    flag: Evaluation | EvaluationFailure
    content: str


def read_context(body: bytes, limit: int) -> EvaluationContext:
    """Whom the body wants weights for; nobody in particular if it is empty.

    Raises:
        BodyTooLarge: If the body is over the limit in bytes.
        BodyMalformed: If it isn't one JSON object.
        ContextInvalid: If its context isn't one.
    """
    if not body:
        return _NOBODY
    document = parse_json(body, limit)
    if not isinstance(document, dict):
        raise BodyMalformed("the body isn't a JSON object", hint='Send {"context": {"targetingKey": "u-17"}}.')
    return validated(EvaluationRequest, document, ContextInvalid).context or _NOBODY


def evaluated(here: LookupContext, scenario: str, context: EvaluationContext, now: datetime) -> Evaluation:
    """The flag for the context.

    Raises:
        ScenarioUnknown: If there is no such flag.
        SegmentUnknown: If the scenario hasn't the context's segment.
    """
    return _evaluation(here, _looked_up(here, scenario, context, now))


def evaluated_or_not(here: LookupContext, scenario: str, context: EvaluationContext, now: datetime) -> Evaluated:
    """The flag, without a value if its scenario hasn't the context's segment."""
    try:
        served = _looked_up(here, scenario, context, now)
    except SegmentUnknown as exc:
        return Evaluated(flag=failure(exc, scenario), content=exc.message)
    flag = _evaluation(here, served)
    return Evaluated(flag=flag, content=f"{flag.reason} {served.etag}")


def joint_etag(flags: Iterable[Evaluated]) -> str:
    """Changes with the content of any flag and with its staleness, and not with its age or the revision."""
    return hashlib.sha256("\n".join(f.content for f in flags).encode()).hexdigest()[:_ETAG_DIGITS]


def failure(error: RewardLLMError, key: str) -> EvaluationFailure:
    """Why a flag has no value."""
    return EvaluationFailure(key=_encodable(key), **bulk_failure(error).model_dump())


def bulk_failure(error: RewardLLMError) -> BulkEvaluationFailure:
    """Why no flag has."""
    details = f"{error.message}. {error.hint}" if error.hint else error.message
    if len(details) > MAX_DETAILS_CHARS:
        details = details[:MAX_DETAILS_CHARS] + "…"
    return BulkEvaluationFailure(error_code=_CODES[type(error)], error_details=_encodable(details))


def _looked_up(here: LookupContext, scenario: str, context: EvaluationContext, now: datetime) -> ServedWeights:
    scope, unit = Scope(scenario, context.segment or None), context.targeting_key or None
    served = here.services.board.lookup(scope, now, unit)
    here.metrics.looked_up(served)
    return served


def _evaluation(here: LookupContext, served: ServedWeights) -> Evaluation:
    policy, rollout, freshness = served.policy, served.rollout, served.freshness
    utilities = here.services.scenarios[served.scope.scenario].utility_names
    weights = {u: policy.weights[u] for u in utilities}
    percent = rollout.percent if rollout else None
    return Evaluation(
        key=served.scope.scenario,
        reason=reason_of(stale=freshness.stale, rule=served.rule, percent=percent),
        variant=served.policy_id,
        value=FlagValue(
            policy_id=served.policy_id,
            version=policy.version,
            utilities=list(utilities),
            weights=weights,
            vector=list(weights.values()),
        ),
        metadata=FlagMetadata(
            revision=here.services.board.revision,
            source=policy.source,
            rule=served.rule,
            stale=freshness.stale,
            age_s=freshness.age_s,
            activation=rollout.activation if rollout else None,
            percent=percent,
            valid_until=served.valid_until,
        ),
    )


def _encodable(text: str) -> str:
    """The text with lone surrogates written out, which UTF-8 doesn't have."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
