"""Weights as OpenFeature resolves a flag; its remote protocol resolves it in the same way."""

from __future__ import annotations

import math
from datetime import UTC

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import InvalidContextError
from openfeature.flag_evaluation import FlagMetadata, FlagResolutionDetails, FlagValueType, Reason

from reward_llm.delivery.sdk.weights import Weights
from reward_llm.domain.evaluation import MAX_UNIT_CHARS, reason_of


def resolution(weights: Weights) -> FlagResolutionDetails[dict[str, FlagValueType]]:
    """The flag whose value the weights are."""
    stale, rollout = weights.stale, weights.rollout
    reason = reason_of(stale=stale, rule=weights.rule, percent=rollout.percent if rollout else None)
    return FlagResolutionDetails(
        value=_value(weights),
        variant=weights.policy_id,
        reason=Reason(reason.value),
        flag_metadata=_metadata(weights, stale=stale),
    )


def whom(context: EvaluationContext) -> tuple[str | None, str | None]:
    """The context's unit and segment, of which empty ones are none.

    Raises:
        InvalidContextError: If one of them can't be used.
    """
    unit, segment = context.targeting_key, context.attributes.get("segment")
    if unit is not None and (not isinstance(unit, str) or len(unit) > MAX_UNIT_CHARS):
        raise InvalidContextError(f"the targeting key must be a text of at most {MAX_UNIT_CHARS} characters")
    if segment is not None and not isinstance(segment, str):
        raise InvalidContextError("the segment must be a text")
    return unit or None, segment or None


def _value(weights: Weights) -> dict[str, FlagValueType]:
    """The caller's own, which they may change."""
    return {
        "policy_id": weights.policy_id,
        "version": weights.version,
        "utilities": list(weights.utilities),
        "weights": dict(weights.weights),
        "vector": list(weights.vector),
    }


def _metadata(weights: Weights, *, stale: bool) -> FlagMetadata:
    """What stands beside the weights; what there isn't is left out, because metadata has no nulls."""
    metadata: dict[str, bool | int | float | str] = {
        "revision": weights.revision,
        "source": weights.source,
        "rule": weights.rule,
        "stale": stale,
    }
    if math.isfinite(age_s := weights.age_s):
        metadata["age_s"] = age_s
    if weights.rollout is not None:
        metadata |= {"activation": weights.rollout.activation, "percent": weights.rollout.percent}
    if weights.valid_until is not None:
        metadata["valid_until"] = weights.valid_until.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return metadata
