"""What is served for a scope, and how sure we are of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.scenario import Scope


class Rule(StrEnum):
    """Which activation won: the segment's own, the scenario's, or none."""

    SEGMENT = "segment"
    SCENARIO = "scenario"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedWeights:
    """The policy that holds for a scope at a moment.

    `valid_until` is when another will hold, as far as is known now. `etag` is the opaque part of a strong entity
    tag: a hash of everything here but `age_s` and `stale`. `age_s` counts the seconds since the store last
    confirmed this, or since the start if it never did, which is always stale.
    """

    scope: Scope
    policy: RewardPolicy
    policy_id: str
    rule: Rule
    valid_until: datetime | None
    etag: str
    age_s: float
    stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How long ago the store confirmed what is served; `confirmed` is False until it did so once."""

    age_s: float
    stale: bool
    confirmed: bool
