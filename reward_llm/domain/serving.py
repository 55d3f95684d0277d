"""What is served for a scope, and how sure we are of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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
    hold, as far as is known now. `etag` is a hash of everything that a client is told but the freshness.
    """

    scope: Scope
    policy: RewardPolicy
    policy_id: str
    rule: Rule
    rollout: Rollout | None
    valid_until: datetime | None
    etag: str
    freshness: Freshness
