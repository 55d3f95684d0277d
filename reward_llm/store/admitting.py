"""What is checked inside a transaction before a policy is put into force."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reward_llm.domain.activation import Activation
from reward_llm.domain.admission import Admission
from reward_llm.domain.lifecycle import Standing
from reward_llm.domain.ports import Freeze
from reward_llm.domain.review_rules import Requirement
from reward_llm.domain.scenario import Scope
from reward_llm.domain.schedule import Overlap, conflicts
from reward_llm.errors import (
    ApprovalsMissing,
    PolicyRejected,
    PolicyWithdrawn,
    ScheduleConflict,
    ScopeFrozen,
    Violation,
)
from reward_llm.store import schedules
from reward_llm.store.writing import Writing


async def admit(writing: Writing, standing: Standing, planned: Activation, admission: Admission) -> None:
    """Accept an activation that passes the gate, and has its approvals, over what is in force when it begins.

    Raises:
        GateRefused: If it doesn't pass the gate, which no approval helps. What held before is no step.
        ApprovalsMissing: If it needs more approvals.
    """
    policy, begins = standing.policy, max(planned.start, writing.at)
    active = await schedules.active_policy(writing.connection, policy.scope, begins, besides=planned.sequence)
    required = admission.requirement(standing, active)
    admission.check(policy, policy if standing.held_before(writing.at) else active)
    check_approvals(standing, required)


def check_approvals(standing: Standing, required: Requirement) -> None:
    """Accept a policy that as many people approve of as are required.

    Raises:
        ApprovalsMissing: If it is fewer.
    """
    given = standing.approvers(self_approval=required.self_approval)
    missing = required.approvals - len(given)
    if missing > 0:
        why = "; ".join(required.reasons)
        raise ApprovalsMissing(
            f"{missing} of {required.approvals} approvals are missing: {why}",
            hint="Ask for a review of the policy; somebody else than its author approves its content hash.",
        )


def check_open(standing: Standing) -> None:
    """Accept a policy that was neither rejected nor withdrawn.

    Raises:
        PolicyRejected: If it was rejected.
        PolicyWithdrawn: If it was withdrawn.
    """
    hint = "Make a new version; it gets a review of its own."
    if standing.rejected:
        raise PolicyRejected(f"{standing.policy.policy_id} was rejected", hint=hint)
    if standing.withdrawn:
        raise PolicyWithdrawn(f"{standing.policy.policy_id} was withdrawn", hint=hint)


def check_frozen(frozen_by: Iterable[Freeze]) -> None:
    """Accept no freeze.

    Raises:
        ScopeFrozen: If there is one.
    """
    for freeze in frozen_by:
        raise ScopeFrozen(
            f"{freeze.scope} was frozen by {freeze.by} at {freeze.at.isoformat()}: {freeze.reason}",
            hint="Unfreeze it first.",
        )


async def not_frozen(writing: Writing, scope: Scope) -> None:
    """Accept a scope that nobody has frozen.

    Raises:
        ScopeFrozen: If it or its scenario is frozen.
    """
    check_frozen(await schedules.freezes_over(writing.connection, scope))


async def no_conflicts(writing: Writing, planned: Activation) -> None:
    """Accept an activation that cuts into no window, and that none cuts into.

    Raises:
        ScheduleConflict: With every activation in its way.
    """
    found = conflicts(planned, await schedules.interruptible(writing.connection, planned, writing.at), writing.at)
    if found:
        raise ScheduleConflict(
            "it conflicts with what is scheduled: " + "; ".join(map(described, found)),
            hint="Choose another window, or accept the conflicts.",
            violations=[
                Violation(path=f"activations/{o.activation.sequence}", code="overlap", message=described(o))
                for o in found
            ],
        )


def described(overlap: Overlap) -> str:
    """The overlap in words: whose window, and when both would hold."""
    activation = overlap.activation
    window = _span(activation.start, activation.end)
    share = "" if not activation.partial else f" for {activation.percent:g} %"
    return (
        f"{activation.policy.policy_id} (version {activation.policy.version}) holds {window}{share}, "
        f"and both would {_span(overlap.since, overlap.until)}"
    )


def _span(since: datetime, until: datetime | None) -> str:
    return f"from {since.isoformat()} " + (f"until {until.isoformat()}" if until else "on")
