"""What is to be done next with a policy, and who can do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from reward_llm.console.person import Person
from reward_llm.domain.access import Permission
from reward_llm.domain.lifecycle import PolicyState

Document = Mapping[str, Any]


class Step(StrEnum):
    """What comes next."""

    APPROVE = "approve"
    """Approvals are missing."""
    ACTIVATE = "activate"
    AGAIN = "again"
    """It was in force, and may be activated again."""
    WAIT = "wait"
    """Its time is to come."""
    WATCH = "watch"
    """It is in force."""
    BELOW = "below"
    """Another one is in force over it."""
    NEW_VERSION = "new_version"
    """Nothing can be done with this one any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """The step, what it takes, and whether this person can take it."""

    step: Step
    permission: Permission
    can: bool
    missing: int = 0
    """Approvals that are missing."""
    is_own: bool = False
    """Whether it is this person's own, and their approval doesn't count."""


_OF_STATE: Final[Mapping[str, tuple[Step, Permission]]] = {
    PolicyState.REJECTED: (Step.NEW_VERSION, Permission.EDIT),
    PolicyState.WITHDRAWN: (Step.NEW_VERSION, Permission.EDIT),
    PolicyState.SCHEDULED: (Step.WAIT, Permission.EDIT),
    PolicyState.ACTIVE: (Step.WATCH, Permission.APPROVE),
    PolicyState.SUPERSEDED: (Step.BELOW, Permission.EDIT),
}
_HELD_BEFORE: Final = {PolicyState.EXPIRED, PolicyState.ROLLED_BACK}


def next_step(policy: Document, person: Person | None) -> NextStep | None:
    """What the policy waits for; None for a scenario's defaults, on which nobody decides."""
    state = policy["state"]
    if state is None:
        return None
    missing = missing_approvals(policy["requirement"])
    step, permission = _OF_STATE.get(state) or _undecided(policy, missing)
    may = person is not None and person.may(permission, policy["scenario"])
    is_own = step is Step.APPROVE and not counts(policy, person)
    return NextStep(step=step, permission=permission, can=may and not is_own, missing=missing, is_own=is_own)


def missing_approvals(requirement: Document | None) -> int:
    """How many more people must approve."""
    return max(0, int(requirement["approvals"]) - int(requirement["given"])) if requirement else 0


def counts(policy: Document, person: Person | None) -> bool:
    """Whether the person's approval of the policy would count."""
    requirement = policy["requirement"]
    return bool(requirement and requirement["self_approval"]) or person is None or person.name != policy["author"]


def _undecided(policy: Document, missing: int) -> tuple[Step, Permission]:
    if policy["requirement"] is None:
        return Step.NEW_VERSION, Permission.EDIT
    if missing:
        return Step.APPROVE, Permission.APPROVE
    return (Step.AGAIN if policy["state"] in _HELD_BEFORE else Step.ACTIVATE), Permission.EDIT
