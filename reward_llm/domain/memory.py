"""What came of goals: goal → reading → weights → what was predicted of them → what was observed.

A policy that came of a goal is observed over its first day and its first week in force, or over all the time that it
was in force if that ends before a week is over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from reward_llm.domain.activation import Activation
from reward_llm.domain.interpretation import Intent
from reward_llm.domain.metrics import LONGEST, SHORTEST, Estimate
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.scenario import Scope
from reward_llm.domain.source import Source

SPANS: Final = (timedelta(days=1), timedelta(days=7))
"""How long policies are observed."""
SETTLED: Final = timedelta(hours=1)
"""How long after a window's end events are waited for."""
KNOWN: Final = LONGEST
"""How far back events are certain to be known."""
SHOWN_OUTCOMES: Final = 3
"""How many past goals a prompt is told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """A metric as it was expected, and the standard error of that.

    `factor` is the correction that is in `mean` and `error` already: what predicted it says `mean` / `factor`.
    """

    mean: float
    error: float = 0.0
    factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What weights are expected to bring, by metric, and what says so."""

    made_by: str
    metrics: Mapping[str, Predicted]


class Forecaster(Protocol):
    """What can tell beforehand what weights bring, such as a response surface."""

    async def forecast(self, scope: Scope, weights: Mapping[str, float]) -> Forecast | None:
        """What the weights are expected to bring in the scope; None if nothing can be said of it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A policy that came of a goal and got into force: its weights, and what was predicted of them, if anything."""

    policy_id: str
    source: Source
    weights: Mapping[str, float]
    predicted: Forecast | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Metrics of the slates of a policy, in the time (since, until] after an activation of it began.

    `before` are those of the whole scope in a time as long that ended when the activation began. What differs between
    the two isn't caused by the policy alone: who wants to know that runs an experiment.
    """

    activation: int
    policy_id: str
    since: datetime
    until: datetime
    metrics: Mapping[str, Estimate]
    before: Mapping[str, Estimate]

    @property
    def span(self) -> timedelta:
        """How long it was observed."""
        return self.until - self.since


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalMemory:
    """All that is remembered of a goal whose weights got into force, oldest first."""

    goal_id: str
    scope: Scope
    intents: Sequence[Intent]
    tried: Sequence[Tried] = ()
    observations: Sequence[Observation] = ()

    def last(self, policy_id: str) -> Observation | None:
        """The policy's longest observation, and of those the newest."""
        own = [o for o in self.observations if o.policy_id == policy_id]
        return max(own, key=lambda o: (o.span, o.until), default=None)

    @property
    def outcome(self) -> Observation | None:
        """The longest observation of all its policies, and of those the newest."""
        return max(self.observations, key=lambda o: (o.span, o.until), default=None)


class Memories(Protocol):
    """Where it is asked what came of goals. Everything raises StoreUnavailable if that can't be read."""

    async def of(self, goal_id: str) -> GoalMemory | None:
        """What is remembered of a goal; None as long as no weights of it got into force, or nobody looked since."""
        ...

    async def similar(self, scope: Scope, utilities: Collection[str]) -> Sequence[GoalMemory]:
        """Observed goals of the scope, those first that asked most alike, and of those the newest.

        Args:
            scope: Exactly this one.
            utilities: What a goal seems to be about.
        """
        ...


def is_of_a_goal(policy: RewardPolicy) -> bool:
    """Whether the policy came of a goal, which then is its origin."""
    return policy.source is Source.SOLVED or (policy.source.is_reading and policy.source is not Source.DEFAULT)


def windows_due(activation: Activation, now: datetime) -> list[tuple[datetime, datetime]]:
    """The times (since, until] over which an activation is to be observed by now, shortest first.

    They are whole minutes long, as metrics ask for, and none of them is looked at when events from before it, which
    it is compared with, may be forgotten.
    """
    start, end = activation.start, activation.end
    ends = [start + span for span in SPANS if end is None or start + span <= end]
    if end is not None and SHORTEST <= end - start < SPANS[-1] and end not in ends:
        ends.append(start + (end - start) // SHORTEST * SHORTEST)
    return [(start, until) for until in sorted(ends) if until + SETTLED <= now <= start - (until - start) + KNOWN]


def similarity(asked: Collection[str], memory: GoalMemory) -> float:
    """How alike two goals' utilities are: shared ones over all (Jaccard 1901); 0 if neither has any."""
    own = {intent.utility for intent in memory.intents}
    every = own | set(asked)
    return len(own & set(asked)) / len(every) if every else 0.0


def most_alike(memories: Sequence[GoalMemory], utilities: Collection[str], limit: int) -> list[GoalMemory]:
    """Those of the memories that were observed and ask most alike, and of those the newest; at most so many."""
    observed = [(m, m.outcome) for m in memories]
    ordered = sorted(
        ((m, o) for m, o in observed if o is not None),
        key=lambda pair: (similarity(utilities, pair[0]), pair[1].until),
        reverse=True,
    )
    return [memory for memory, _ in ordered[:limit]]
