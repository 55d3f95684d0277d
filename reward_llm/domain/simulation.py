"""A simulated month: who recommends by which weights, and what becomes of the market."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import chain, count
from types import MappingProxyType
from typing import Final, Literal

from reward_llm.domain.preview import Interval
from reward_llm.domain.scenario import Scenario

MAX_ARMS: Final = 8
"""How many recommenders, or weights, one simulation compares."""
MIN_SEEDS: Final = 2
"""An interval over seeds takes two."""
MAX_SEEDS: Final = 20
MIN_DAYS: Final = 10
"""New content is judged when it is a week old."""
MAX_DAYS: Final = 30

FULL_SEEDS: Final = 5
FULL_USERS: Final = 1_000
QUICK_SEEDS: Final = 3
QUICK_USERS: Final = 200
_SHOWN_LABEL: Final = 30
"""Characters of a goal that stand in an arm's name."""

ArmOrigin = Literal["default", "in_force", "policy", "goal", "weights"]
Verdict = Literal["better", "worse", "unclear"]


class Outcome(StrEnum):
    """What a simulated month is judged by, in the order of reports: seven rows, and what else weights ask for."""

    NEW_CONTENT_CTR = "new_content_ctr"
    INTEREST_DIVERSITY = "interest_diversity"
    COLD_START_SUCCESS = "cold_start_success"
    NEXT_DAY_RETENTION = "next_day_retention"
    BOOST_COST = "boost_cost"
    GMV = "gmv"
    WATCH_TIME = "watch_time_min"
    CTR = "ctr"
    SATISFACTION = "satisfaction"
    GROUP_ORDER = "group_order"


class OutcomeUnit(StrEnum):
    """What an outcome is counted in."""

    SHARE = "share"
    MONEY = "money"
    MINUTES = "minutes"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeFacts:
    """How an outcome is read."""

    unit: OutcomeUnit
    better: Literal["higher", "lower"]


class RecommenderName(StrEnum):
    """What may recommend in the market: the agents, and what they are measured against."""

    MARKETPLACE = "marketplace"
    ITEM_CF = "item_cf"
    FACTORISATION = "factorisation"
    BANDIT = "bandit"
    META = "meta"
    POPULAR = "popular"
    RANDOM = "random"


class SimulationState(StrEnum):
    """How far a simulation is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self not in {SimulationState.QUEUED, SimulationState.RUNNING}


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationArm:
    """One recommender under one set of weights, by the scenario's utilities.

    `policy_id` and `goal` say where the weights came from, if from there; `source` is who made them.
    """

    name: str
    recommender: RecommenderName
    weights: Mapping[str, float]
    origin: ArmOrigin
    source: str
    policy_id: str | None = None
    goal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationPlan:
    """What is compared, and on how much: every arm lives through the same days with the same seeds.

    `concepts` gives each utility the market's word for it. The first arm is what the others are compared with.
    """

    scenario: str
    segment: str | None
    arms: tuple[SimulationArm, ...]
    concepts: Mapping[str, str]
    seeds: int
    days: int
    users: int
    first_seed: int = 0

    @property
    def steps(self) -> int:
        """How many days are simulated in all."""
        return len(self.arms) * self.seeds * self.days

    def market_weights(self, arm: SimulationArm) -> dict[str, float]:
        """The arm's weights by the market's words."""
        return {self.concepts[name]: weight for name, weight in arm.weights.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmOutcome:
    """What an outcome was under one arm, with its interval over the seeds.

    A seed for which there was nothing to measure is None, and then there is no interval. `difference` is that from
    the first arm, seed by seed, and `ratio` that of the means; None for the first arm and where an interval is
    missing, and the ratio also where the first arm's mean is 0.
    """

    arm: str
    interval: Interval | None
    by_seed: tuple[float | None, ...]
    difference: Interval | None
    ratio: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """One row of the table."""

    outcome: Outcome
    arms: tuple[ArmOutcome, ...]

    def verdict(self, arm: ArmOutcome) -> Verdict | None:
        """Whether the arm did better than the first one; None for that itself, and where it can't be said."""
        if arm.difference is None:
            return None
        if not arm.difference.is_clear:
            return "unclear"
        rose = arm.difference.low > 0
        return "better" if rose == (OUTCOME_FACTS[self.outcome].better == "higher") else "worse"


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyCurve:
    """An outcome day by day under one arm, over the seeds; a day on which nothing could be measured is None."""

    arm: str
    outcome: Outcome
    days: tuple[Interval | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationReport:
    """What came of a plan; all intervals are of this confidence."""

    confidence: float
    rows: tuple[OutcomeRow, ...]
    curves: tuple[DailyCurve, ...]
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationProblem:
    """Why a simulation failed."""

    code: str
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationJob:
    """A plan at work; `done` of its `plan.steps` days are simulated."""

    id: str
    plan: SimulationPlan
    state: SimulationState
    done: int
    created_at: datetime
    created_by: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    report: SimulationReport | None = None
    problem: SimulationProblem | None = None


OUTCOME_FACTS: Final[Mapping[Outcome, OutcomeFacts]] = MappingProxyType(
    {
        Outcome.NEW_CONTENT_CTR: OutcomeFacts(unit=OutcomeUnit.SHARE, better="higher"),
        Outcome.INTEREST_DIVERSITY: OutcomeFacts(unit=OutcomeUnit.SHARE, better="higher"),
        Outcome.COLD_START_SUCCESS: OutcomeFacts(unit=OutcomeUnit.SHARE, better="higher"),
        Outcome.NEXT_DAY_RETENTION: OutcomeFacts(unit=OutcomeUnit.SHARE, better="higher"),
        Outcome.BOOST_COST: OutcomeFacts(unit=OutcomeUnit.MONEY, better="lower"),
        Outcome.GMV: OutcomeFacts(unit=OutcomeUnit.MONEY, better="higher"),
        Outcome.WATCH_TIME: OutcomeFacts(unit=OutcomeUnit.MINUTES, better="higher"),
        Outcome.CTR: OutcomeFacts(unit=OutcomeUnit.SHARE, better="higher"),
        Outcome.SATISFACTION: OutcomeFacts(unit=OutcomeUnit.SHARE, better="higher"),
        Outcome.GROUP_ORDER: OutcomeFacts(unit=OutcomeUnit.SHARE, better="higher"),
    }
)

ASKED_OF: Final[Mapping[str, Outcome]] = MappingProxyType(
    {
        "click": Outcome.CTR,
        "gmv": Outcome.GMV,
        "satisfaction": Outcome.SATISFACTION,
        "retention": Outcome.NEXT_DAY_RETENTION,
        "diversity": Outcome.INTEREST_DIVERSITY,
        "cold_start": Outcome.COLD_START_SUCCESS,
        "group_order": Outcome.GROUP_ORDER,
    }
)
"""The outcome that more weight on a utility asks more of, by the market's word for the utility."""


def named(arms: Sequence[SimulationArm]) -> tuple[SimulationArm, ...]:
    """The arms, of which those without a name are called by their recommender and their weights' origin."""
    taken = {arm.name for arm in arms if arm.name}
    finished = []
    for arm in arms:
        name = arm.name or _free(_described(arm), taken)
        taken.add(name)
        finished.append(replace(arm, name=name))
    return tuple(finished)


def _described(arm: SimulationArm) -> str:
    origins = {"policy": arm.policy_id or "", "goal": arm.goal or ""}
    label = origins.get(arm.origin, arm.origin.replace("_", " "))
    shown = label if len(label) <= _SHOWN_LABEL else f"{label[:_SHOWN_LABEL]}…"
    return f"{arm.recommender.value}: {shown}"


def _free(name: str, taken: Collection[str]) -> str:
    numbered = (f"{name} ({number})" for number in count(2))
    return next(n for n in chain([name], numbered) if n not in taken)


def market_concepts(scenario: Scenario) -> dict[str, str]:
    """The market's word for each utility: its concept, or its own name where it has none."""
    return {u.name: u.concept.value if u.concept else u.name for u in scenario.utilities}
