"""Both answers to a goal: the proposal's weights, and those that are expected to bring what it demands."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reward_llm.api.wire.base import Incoming, Outgoing, WeightsByUtility
from reward_llm.api.wire.policies import MAX_REASON_CHARS
from reward_llm.domain.preview import Interval
from reward_llm.domain.solving import Answer, Basis, Blocker, Demand, DemandOrigin, Feasibility, Judged, Solution


class SolvedRequest(Incoming):
    """Take the solved weights."""

    reason: Annotated[str, Field(max_length=MAX_REASON_CHARS)] = ""


class ExpectedWire(Outgoing):
    """A metric that is expected, with its interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, interval: Interval) -> ExpectedWire:
        """The interval itself."""
        return cls(mean=interval.mean, low=interval.low, high=interval.high)


class StandingWire(Outgoing):
    """How weights stand to a demand."""

    expected: ExpectedWire
    chance: float = Field(description="The probability that they meet it.")
    met: bool = Field(description="Whether the mean does.")

    @classmethod
    def of(cls, judged: Judged, answer: Answer) -> StandingWire:
        """The demand under an answer's weights."""
        expected = ExpectedWire.of(answer.metrics[judged.demand.metric])
        return cls(expected=expected, chance=round(judged.chance, 4), met=judged.met)


class DemandWire(Outgoing):
    """What the goal demands of a metric."""

    utility: str
    metric: str = Field(examples=["next_day_retention"])
    basis: Basis
    value: float = Field(description="A level, a factor of what it is now, or what is added to that: see `basis`.")
    at_most: bool = Field(description="Whether it may be no more; else it may be no less.")
    origin: DemandOrigin
    bound: float = Field(description="The metric's value that it comes to.")
    proposed: StandingWire
    solved: StandingWire

    @classmethod
    def of(cls, proposed: Judged, solved: Judged, solution: Solution) -> DemandWire:
        """A demand as both answers stand to it."""
        return cls(
            **_demand(proposed.demand),
            basis=proposed.demand.basis,
            value=proposed.demand.value,
            at_most=proposed.demand.at_most,
            origin=proposed.demand.origin,
            bound=proposed.bound,
            proposed=StandingWire.of(proposed, solution.proposed),
            solved=StandingWire.of(solved, solution.solved),
        )


class OutlookWire(Outgoing):
    """A metric under the weights in force, the proposal's and the solved ones."""

    metric: str
    now: ExpectedWire
    proposed: ExpectedWire
    solved: ExpectedWire


class BlockerWire(Outgoing):
    """A demand that is in the way, and how far it can be met."""

    utility: str
    metric: str
    bound: float
    nearest: float = Field(description="The nearest value that can be met with the margin while the others are.")
    share: float | None = Field(description="That over what the metric is now.")

    @classmethod
    def of(cls, blocker: Blocker) -> BlockerWire:
        """The blocker itself."""
        return cls(**_demand(blocker.demand), bound=blocker.bound, nearest=blocker.nearest, share=blocker.share)


class IncomparableWire(Outgoing):
    """A target that can't be asked about."""

    utility: str
    code: Literal["unit", "range", "not_measured"]
    message: str


class SolutionWire(Outgoing):
    """What a surface expects of the proposal, and the weights that it is solved for; nothing of it is on record."""

    feasibility: Feasibility
    weights: WeightsByUtility = Field(description="The solved ones; of an infeasible goal those that come nearest.")
    objectives: dict[str, float] = Field(description="Metrics to be raised (over 0) or lowered, by how strongly.")
    demands: list[DemandWire]
    not_comparable: list[IncomparableWire]
    in_the_way: list[BlockerWire] = Field(description="What makes it infeasible, what gives way least first.")
    metrics: list[OutlookWire]
    confidence: float = Field(description="That of the intervals.")
    margin: float = Field(description="The probability that each demand is to be met with.")
    what_if: str = Field(description="What the surface was made of.", examples=["simulator"])
    surface: str = Field(description="Its fingerprint.")

    @classmethod
    def of(cls, solution: Solution) -> SolutionWire:
        """Both answers."""
        proposed, solved = solution.proposed, solution.solved
        return cls(
            feasibility=solution.feasibility,
            weights=dict(solved.weights),
            objectives=dict(solution.demands.objectives),
            demands=[DemandWire.of(p, s, solution) for p, s in zip(proposed.judged, solved.judged, strict=True)],
            not_comparable=[
                IncomparableWire(utility=i.utility, code=i.code, message=i.message)
                for i in solution.demands.incomparable
            ],
            in_the_way=[BlockerWire.of(b) for b in solution.in_the_way],
            metrics=[
                OutlookWire(
                    metric=name,
                    now=ExpectedWire.of(now),
                    proposed=ExpectedWire.of(proposed.metrics[name]),
                    solved=ExpectedWire.of(solved.metrics[name]),
                )
                for name, now in solution.now.items()
            ],
            confidence=solution.confidence,
            margin=solution.margin,
            what_if=solution.what_if,
            surface=solution.surface,
        )


def _demand(demand: Demand) -> dict[str, str]:
    return {"utility": demand.utility, "metric": demand.metric}
