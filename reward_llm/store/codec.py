"""Domain values as rows and JSON documents, and back.

Documents keep the order of their keys: it is the order of a weight vector.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import RowMapping

from reward_llm.domain.activation import Activation, Ending, EndingKind
from reward_llm.domain.goal import Goal, GoalState, Window
from reward_llm.domain.interpretation import DatedSpan, Interpretation, Quantity
from reward_llm.domain.policy import Proposal, Provenance, RewardPolicy, Source
from reward_llm.domain.ports import AuditRecord, GoalRecord
from reward_llm.domain.review import Review
from reward_llm.domain.scenario import Scope
from reward_llm.domain.weights import Weights
from reward_llm.store.tables import activations, audit, goals, policies, proposals

_INTERPRETATION: Final = TypeAdapter(Interpretation)
_NUMBERS: Final = TypeAdapter(tuple[Quantity, ...])
_DATES: Final = TypeAdapter(tuple[DatedSpan, ...])
_PROVENANCE: Final = TypeAdapter(Provenance)
_REVIEW: Final = TypeAdapter(Review | None)


def segment_value(scope: Scope) -> str:
    """The segment as a column holds it."""
    return scope.segment or ""


def goal_values(goal: Goal) -> dict[str, Any]:
    """A goal that wasn't read yet, as a row of `goals`."""
    return {
        "id": goal.id,
        "scenario": goal.scope.scenario,
        "segment": segment_value(goal.scope),
        "text": goal.text,
        "targets": dict(goal.targets),
        "valid_from": goal.window.valid_from,
        "valid_until": goal.window.valid_until,
        "submitted_at": goal.submitted_at,
        "submitted_by": goal.submitted_by,
        "state": GoalState.RECEIVED.value,
    }


def goal_record(row: RowMapping) -> GoalRecord:
    """A row of `goals` with its proposal and policy, where it has them."""
    goal = Goal(
        id=row[goals.c.id],
        scope=Scope(row[goals.c.scenario], row[goals.c.segment] or None),
        text=row[goals.c.text],
        submitted_at=row[goals.c.submitted_at],
        targets=row[goals.c.targets],
        window=Window(valid_from=row[goals.c.valid_from], valid_until=row[goals.c.valid_until]),
        submitted_by=row[goals.c.submitted_by],
    )
    return GoalRecord(
        goal=goal,
        state=GoalState(row[goals.c.state]),
        proposal=_proposal(row) if row[proposals.c.goal_id] else None,
        policy=policy(row) if row[policies.c.id] else None,
    )


def proposal_values(proposal: Proposal) -> dict[str, Any]:
    """A proposal as columns of `proposals`."""
    return {
        "interpretation": _INTERPRETATION.dump_python(proposal.interpretation, mode="json"),
        "numbers": _NUMBERS.dump_python(proposal.numbers, mode="json"),
        "dates": _DATES.dump_python(proposal.dates, mode="json"),
        "weights": dict(proposal.weights),
        "source": proposal.source.value,
        "reason": proposal.reason,
        "provenance": _PROVENANCE.dump_python(proposal.provenance, mode="json"),
        "review": _REVIEW.dump_python(proposal.review, mode="json"),
    }


def _proposal(row: RowMapping) -> Proposal:
    return Proposal(
        interpretation=_INTERPRETATION.validate_python(row[proposals.c.interpretation]),
        numbers=_NUMBERS.validate_python(row[proposals.c.numbers]),
        dates=_DATES.validate_python(row[proposals.c.dates]),
        weights=Weights(row[proposals.c.weights]),
        source=Source(row[proposals.c.source]),
        reason=row[proposals.c.reason],
        provenance=_PROVENANCE.validate_python(row[proposals.c.provenance]),
        review=_REVIEW.validate_python(row[proposals.c.review]),
    )


def policy_values(policy: RewardPolicy, author: str) -> dict[str, Any]:
    """A policy and who wrote it, as a row of `policies`."""
    return {
        "id": policy.policy_id,
        "content_hash": policy.content_hash,
        "scenario": policy.scope.scenario,
        "segment": segment_value(policy.scope),
        "version": policy.version,
        "weights": dict(policy.weights),
        "source": policy.source.value,
        "origin": policy.origin,
        "author": author,
        "created_at": policy.created_at,
    }


def policy(row: RowMapping) -> RewardPolicy:
    """A row of `policies`."""
    return RewardPolicy(
        scope=Scope(row[policies.c.scenario], row[policies.c.segment] or None),
        version=row[policies.c.version],
        weights=Weights(row[policies.c.weights]),
        source=Source(row[policies.c.source]),
        origin=row[policies.c.origin],
        created_at=row[policies.c.created_at],
    )


def activation_values(activation: Activation) -> dict[str, Any]:
    """An activation as a row of `activations`, which gives it its sequence; when it changed is left out."""
    ended = activation.ended
    return {
        "policy_id": activation.policy.policy_id,
        "valid_from": activation.window.valid_from,
        "valid_until": activation.window.valid_until,
        "activated_at": activation.activated_at,
        "activated_by": activation.activated_by,
        "percent": activation.percent,
        "revision": activation.revision,
        "ended_at": ended.at if ended else None,
        "ended_by": ended.by if ended else None,
        "ending": ended.kind.value if ended else None,
        "scenario": activation.policy.scope.scenario,
        "segment": segment_value(activation.policy.scope),
        "starts_at": activation.start,
        "ends_at": activation.end,
    }


def activation(row: RowMapping) -> Activation:
    """A row of `activations` with its policy."""
    return Activation(
        sequence=row[activations.c.sequence],
        policy=policy(row),
        window=Window(valid_from=row[activations.c.valid_from], valid_until=row[activations.c.valid_until]),
        activated_at=row[activations.c.activated_at],
        activated_by=row[activations.c.activated_by],
        percent=row[activations.c.percent],
        revision=row[activations.c.revision],
        ended=_ending(row),
    )


def _ending(row: RowMapping) -> Ending | None:
    if row[activations.c.ended_at] is None:
        return None
    kind = EndingKind(row[activations.c.ending])
    return Ending(at=row[activations.c.ended_at], by=row[activations.c.ended_by], kind=kind)


def audit_record(row: RowMapping) -> AuditRecord:
    """A row of `audit`."""
    return AuditRecord(**{c.name: row[c] for c in audit.c})
