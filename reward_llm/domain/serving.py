"""What is served for a scope, and how sure we are of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.scenario import Scope


class Rule(StrEnum):
    """Whose activation won: the segment's own, the whole scenario's, or nobody's; or that the scope is frozen."""

    SEGMENT = "segment"
    SCENARIO = "scenario"
    DEFAULT = "default"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """The sequence of the activation that serves, and the share of units that it is for, in percent."""

    activation: int
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How long ago the store confirmed what is served.

    `age_s` counts seconds from the last time that it did (`confirmed`), else from the start.
    """

    age_s: float
    stale: bool
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedWeights:
    """The policy that holds for a scope at a moment.

    `rollout` is None where nothing was activated or nothing activated counts. `valid_until` is when another will
    hold, as far as is known now. `content` is everything that a client is told but the freshness, a JSON object;
    `etag` is its hash.
    """

    scope: Scope
    policy: RewardPolicy
    policy_id: str
    rule: Rule
    rollout: Rollout | None
    valid_until: datetime | None
    content: bytes
    etag: str
    freshness: Freshness


@dataclass(frozen=True, kw_only=True)
class EncodedSnapshot:
    """What holds for several scopes at a moment.

    `parts` are JSON objects, a scope's each; `etag` is a hash of them. They are what `revision` changes make of the
    schedule, and no other number of them.
    """

    etag: str
    revision: int
    parts: tuple[bytes, ...]

    @cached_property
    def items(self) -> bytes:
        """The parts as they stand in a JSON array."""
        return b",".join(self.parts)
