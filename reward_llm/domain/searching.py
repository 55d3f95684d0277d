"""Searches for weights: what is asked for, what was tried, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from reward_llm.domain.simulation import MIN_DAYS, RecommenderName
from reward_llm.domain.what_if import Expected
from reward_llm.errors import Violation

MAX_BUDGET: Final = 500
MAX_OBJECTIVES: Final = 3
"""Hypervolumes are exact, and take long over more."""
MAX_CONSTRAINTS: Final = 6
MAX_FINALISTS: Final = 10
MAX_FINAL_EVALUATIONS: Final = 100
FIRST_ROUNDS: Final = 2
"""How often each finalist, and what is in force, is measured before the rest is given to the best of them."""
REFERENCE_MARGIN: Final = 0.1
"""The reference point of hypervolumes lies this share of what is in force below it, in every objective."""
UNMEASURED: Final = 1e6
"""The violation of weights under which something that is asked for couldn't be measured."""


class SearchMethod(StrEnum):
    """How the next weights to try are found."""

    RANDOM = "random"
    GRID = "grid"
    TPE = "tpe"
    GP = "gp"
    NSGA2 = "nsga2"
    EVOLUTION = "evolution"
    POLICY_GRADIENT = "policy_gradient"


class EvaluatorKind(StrEnum):
    """What says what weights would bring."""

    SIMULATOR = "simulator"
    RANKER = "ranker"
    SURFACE = "surface"


class StudyState(StrEnum):
    """How far a study is."""

    QUEUED = "queued"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    FAILED = "failed"
    DONE = "done"
    PROPOSED = "proposed"

    @property
    def is_going(self) -> bool:
        """Whether something may still come of it without anybody's doing."""
        return self in {StudyState.QUEUED, StudyState.RUNNING}

    @property
    def is_complete(self) -> bool:
        """Whether it came to its end, so that there is something to propose."""
        return self in {StudyState.DONE, StudyState.PROPOSED}


class Stage(StrEnum):
    """What a trial is for: a first look at what is in force, the search, or the finalists on fresh seeds."""

    IN_FORCE = "in_force"
    SEARCH = "search"
    FINAL = "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """That a metric isn't below a bound, or not below this share of what it is now if `relative`."""

    metric: str
    least: float
    relative: bool = False

    def bound(self, now: Mapping[str, float]) -> float:
        """The least that the metric may be.

        >>> Constraint(metric="ctr", least=0.98, relative=True).bound({"ctr": 0.5})
        0.49
        """
        return self.least * now[self.metric] if self.relative else self.least


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """What is asked, and the size of the market if that is the simulator."""

    kind: EvaluatorKind = EvaluatorKind.SIMULATOR
    users: int = 60
    days: int = MIN_DAYS
    seeds: int = 2
    recommender: RecommenderName = RecommenderName.BANDIT


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """What is searched for, by which method, and with how many evaluations.

    `in_force` are the weights that the study begins from; relative constraints and the reference point are those of
    their metrics. `budget` counts the evaluations of the search, `final_evaluations` those of the finalists.
    `prefer` is the objective by which one of them is chosen; None chooses what adds most to the hypervolume.
    """

    scenario: str
    segment: str | None
    in_force: Mapping[str, float]
    in_force_policy: str
    evaluator: Evaluator
    method: SearchMethod
    objectives: tuple[str, ...]
    constraints: tuple[Constraint, ...] = ()
    budget: int = 64
    seed: int = 0
    finalists: int = 4
    final_evaluations: int = 16
    prefer: str | None = None

    @property
    def steps(self) -> int:
        """How many evaluations it takes in all, at most."""
        return 1 + self.budget + self.final_evaluations

    @property
    def wanted(self) -> tuple[str, ...]:
        """The metrics that must be measured."""
        return tuple(dict.fromkeys([*self.objectives, *(c.metric for c in self.constraints)]))

    def wrong(self) -> tuple[Violation, ...]:
        """Everything that is wrong with it by itself."""
        found = []
        if len(set(self.objectives)) != len(self.objectives):
            found.append(Violation(path="objectives", code="twice", message="name each objective once"))
        if self.prefer is not None and self.prefer not in self.objectives:
            found.append(Violation(path="prefer", code="unknown", message=f"{self.prefer!r} isn't an objective"))
        if self.final_evaluations < FIRST_ROUNDS * (self.finalists + 1):
            message = f"{self.finalists} finalists and what is in force take {FIRST_ROUNDS} evaluations each"
            found.append(Violation(path="final_evaluations", code="too_few", message=message))
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Weights that were tried, and what they would bring.

    `point` is where the weights lie in the unit cube that is searched. A trial of the finals says by `of` whose
    weights it measures again; 1 is what is in force.
    """

    number: int
    stage: Stage
    point: tuple[float, ...]
    weights: Mapping[str, float]
    metrics: Mapping[str, Expected]
    violation: float
    seed: int
    of: int | None = None

    def values(self, metrics: Sequence[str]) -> tuple[float, ...]:
        """The means of metrics that were measured."""
        return tuple(self.metrics[metric].mean for metric in metrics)

    @property
    def is_feasible(self) -> bool:
        """Whether it keeps to all constraints."""
        return self.violation <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalist:
    """One of the best weights, measured again on fresh seeds; `error` is the standard error of the mean."""

    trial: int
    weights: Mapping[str, float]
    evaluations: int
    metrics: Mapping[str, Expected]
    violation: float
    contribution: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResult:
    """What a search came to.

    `front` are the trials that no other one beats, `hypervolume` what is dominated after so many evaluations, in
    shares of what is in force, and `reference` the point from which it is measured. `in_force` is measured on the
    finalists' seeds. `chosen` is the trial that is proposed; None if nothing keeps to the constraints.
    """

    front: tuple[int, ...]
    hypervolume: tuple[tuple[int, float], ...]
    reference: Mapping[str, float]
    finalists: tuple[Finalist, ...]
    in_force: Finalist
    chosen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyProblem:
    """Why a study failed."""

    code: str
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStudy:
    """A plan at work: `done` of its trials are done, which are left out of lists.

    `policy_id` is what was proposed of it; None until somebody did.
    """

    id: str
    plan: SearchPlan
    state: StudyState
    done: int
    created_at: datetime
    created_by: str
    changed_at: datetime
    trials: tuple[Trial, ...] = ()
    result: StudyResult | None = None
    problem: StudyProblem | None = None
    policy_id: str | None = None


def measured(metrics: Mapping[str, Expected], wanted: Sequence[str]) -> bool:
    """Whether all that is wanted could be measured."""
    return all(name in metrics and math.isfinite(metrics[name].mean) for name in wanted)
