"""Goals solved: what a goal demands of metrics, and the weights that are expected to bring it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Protocol

from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Interpretation
from reward_llm.domain.preview import Interval
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.weights import Weights

TOLERANCE: Final = 0.02
"""The share of what it is now that a held metric without a number of its own may lose."""


class Feasibility(StrEnum):
    """Whether weights within bounds, and a largest step away at most, are expected to meet all that is demanded."""

    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNCERTAIN = "uncertain"
    """They may, but the surface isn't sure enough to say."""


class Basis(StrEnum):
    """What a demanded value is measured in."""

    ABSOLUTE = "absolute"
    """The metric's own unit."""
    RELATIVE = "relative"
    """The metric under the weights in force: 1.1 is 10 % more."""
    DIFFERENCE = "difference"
    """What is added to the metric under the weights in force, such as +2 percentage points."""


DemandOrigin = Literal["targets", "text", "guardrail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a goal demands of the metric that a utility asks for: at least this, or at most if `at_most`.

    `origin` says whether it is one of the goal's targets, a number in its text, or a held utility without a number.
    """

    utility: str
    metric: str
    value: float
    basis: Basis
    origin: DemandOrigin
    at_most: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomparable:
    """A target that no surface can be asked about: `code` is `unit`, `range` or `not_measured`."""

    utility: str
    code: Literal["unit", "range", "not_measured"]
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """All that a goal demands.

    `objectives` are the metrics to be raised (over 0) or lowered (under 0), by how strongly.
    """

    objectives: Mapping[str, float]
    demands: tuple[Demand, ...]
    incomparable: tuple[Incomparable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A demand, the metric's value that it comes to, and the probability that weights meet it."""

    demand: Demand
    bound: float
    chance: float
    met: bool
    """Whether the metric is expected to be there, its interval aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Weights, the metrics that are expected of them, and how they stand to every demand."""

    weights: Weights
    metrics: Mapping[str, Interval]
    judged: tuple[Judged, ...]

    @property
    def met(self) -> bool:
        """Whether all demands are expected to be met."""
        return all(j.met for j in self.judged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """A demand that is in the way: without it the others can be met, or it can't be met itself.

    `nearest` is the metric's best value that is expected with the margin while the others are met, or by itself where
    they can't be, and `share` that over the metric under the weights in force; None where that is 0.
    """

    demand: Demand
    bound: float
    nearest: float
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Both answers to a goal: the proposal's weights, and those that a surface is solved for.

    `in_the_way` is empty unless the goal is infeasible; the one that has to give way least comes first. All intervals
    are of this confidence; `margin` is the probability that each demand was to be met with.
    """

    feasibility: Feasibility
    demands: Demands
    now: Mapping[str, Interval]
    """What is expected of the weights in force."""
    proposed: Answer
    solved: Answer
    in_the_way: tuple[Blocker, ...]
    confidence: float
    margin: float
    surface: str
    """The fingerprint of what was asked."""
    what_if: str
    """What the surface was made of, such as `simulator`."""


class GoalSolver(Protocol):
    """Solves goals for the weights that are expected to bring what they demand."""

    def solve(
        self, goal: Goal, reading: Interpretation, proposed: Weights, scenario: Scenario, active: Weights
    ) -> Solution | None:
        """Both answers to a goal; None if it demands nothing, or nobody knows what the scenario's weights bring.

        The same goal, weights and surface give the same answer.

        Args:
            goal: What was submitted.
            reading: What it was read as.
            proposed: The weights that came of the reading, which stay the prior.
            scenario: Gives bounds and the largest step.
            active: The weights in force, from which that is measured.
        """
        ...
