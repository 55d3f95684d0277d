"""What the agents decide for one user at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reward_llm.domain.ranking import Candidate, RankingRequest
from reward_llm.errors import Violation


class Mode(StrEnum):
    """What the user agent wants: what it knows to be liked, or what it doesn't know yet."""

    EXPLOIT = "exploit"
    EXPLORE = "explore"


class StateSource(StrEnum):
    """Where the agents' state came from: the store, or nowhere because that was away."""

    LIVE = "live"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationRequest:
    """A user, what may be shown to them, and how much of it is."""

    user: str
    candidates: tuple[Candidate, ...]
    size: int
    at: datetime

    def problems(self) -> Iterator[Violation]:
        """Everything for which nothing can be decided."""
        return RankingRequest(user={}, candidates=self.candidates, size=self.size, at=self.at).problems()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feelings:
    """The user agent's state, all of it in [0, 1] but `events`, which counts what it was made of.

    `protected` users came for the first time so lately that nothing is tried out on them.
    """

    satisfaction: float
    curiosity: float
    fatigue: float
    events: int
    protected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotted:
    """An item in its slot; `boosted` ones are there for their creator's `cost`, which is due when they are seen."""

    item_id: str
    score: float
    boosted: bool = False
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """A slate as the three kinds of agents made it.

    `explore_probability` is what the mode was drawn with. `ignored` are utilities that have a weight and that the
    agents don't estimate. `reason` says why `state` isn't live.
    """

    slots: tuple[Allotted, ...]
    mode: Mode
    explore_probability: float
    feelings: Feelings
    weights: Mapping[str, float]
    ignored: tuple[str, ...]
    state: StateSource
    reason: str | None = None
