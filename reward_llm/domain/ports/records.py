"""What stores give and take beside the domain's own values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from reward_llm.domain.goal import Goal, GoalState
from reward_llm.domain.policy import Proposal, RewardPolicy

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalRecord:
    """A goal as it is stored: its state, and once it was read its proposal and policy.

    On no_change `policy` is the one that was active when the goal was read.
    """

    goal: Goal
    state: GoalState
    proposal: Proposal | None = None
    policy: RewardPolicy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyClaim:
    """An `Idempotency-Key` with the hash of the request that it came with."""

    key: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list, newest first, and the cursor of the next part."""

    items: tuple[T, ...]
    next_cursor: str | None
