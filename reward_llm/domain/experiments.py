"""Experiments: one policy against the one in force, over units that keep the policy that they first got."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from reward_llm.domain.metrics import DAY, Metric
from reward_llm.domain.scenario import Scope

UNIT_METRICS: Final = (
    Metric.CTR,
    Metric.CONVERSION,
    Metric.GMV,
    Metric.DWELL,
    Metric.INTEREST_DIVERSITY,
    Metric.COLD_START_SHARE,
    Metric.NEXT_DAY_RETENTION,
)
"""What can be told user by user, each of which is better when it is higher."""
MAX_PERCENT: Final = 95.0
"""The largest share of units that an experiment may treat: the others are its holdout."""
MAX_GUARDRAILS: Final = 6
MIN_UNITS: Final = 100
"""Units that each arm must have before anything is decided."""
RECENT_DAYS: Final = 7
"""Days of the window that goes along with the looks, in which a late loss shows."""
LOOK_AFTER: Final = timedelta(hours=1)
"""How long after the end of a day it is looked at, so that its last events are there."""
VARIABLES: Final = 4
"""Above and below the line of a ratio, and both before the experiment."""


class ExperimentState(StrEnum):
    """Where an experiment stands."""

    PLANNED = "planned"
    RUNNING = "running"
    HOLDOUT = "holdout"
    """The treatment won; its lead is watched against those who stay on the control."""
    CONCLUDED = "concluded"
    ROLLED_BACK = "rolled_back"
    STOPPED = "stopped"


LIVE: Final = frozenset({ExperimentState.RUNNING, ExperimentState.HOLDOUT})


class Decision(StrEnum):
    """What a look came to."""

    WAIT = "wait"
    HOLD_OUT = "hold_out"
    CONCLUDE_BETTER = "conclude_better"
    CONCLUDE_UNCLEAR = "conclude_unclear"
    ROLL_BACK = "roll_back"
    SAMPLE_RATIO_MISMATCH = "sample_ratio_mismatch"
    """Nothing can be decided: the arms don't have the shares of units that they should."""


Span = Literal["all", "recent"]
"""Since the start, or the last `RECENT_DAYS` days."""
Standing = Literal["better", "worse", "safe", "violated", "unclear", "unknown"]
"""Of the primary metric: better or worse; of a guardrail: safe or violated; unknown where nothing was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """A metric that may lose at most the share `margin` of its value under the control."""

    metric: Metric
    margin: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPlan:
    """What is to be tried, on whom, and when it ends.

    `alpha` is the probability of any wrong decision over all looks. A winner is decided on from `min_days` on, and
    watched for `holdout_days` more; what isn't decided by `max_days` ends as unclear.
    """

    name: str
    scope: Scope
    treatment: str
    """The policy that is tried."""
    primary: Metric
    guardrails: tuple[Guardrail, ...] = ()
    percent: float = 50.0
    min_days: int = 14
    max_days: int = 17
    holdout_days: int = 7
    pre_days: int = 7
    """Days before the start whose values sharpen the comparison (CUPED); 0 for none."""
    alpha: float = 0.05

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The primary metric and those of the guardrails, each once."""
        return tuple(dict.fromkeys((self.primary, *(g.metric for g in self.guardrails))))

    @property
    def most_days(self) -> int:
        """How many looks there are at most."""
        return self.max_days + self.holdout_days

    @property
    def reach(self) -> timedelta:
        """How far back the last look needs events."""
        return (self.pre_days + self.most_days) * DAY + LOOK_AFTER


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over units of four variables and of their products: what means, variances and covariances are made of."""

    count: int
    sums: tuple[float, ...]
    products: tuple[tuple[float, ...], ...]

    def __add__(self, other: Moments) -> Moments:
        """Those of both groups of units."""
        return Moments(
            self.count + other.count,
            tuple(a + b for a, b in zip(self.sums, other.sums, strict=True)),
            tuple(
                tuple(a + b for a, b in zip(mine, theirs, strict=True))
                for mine, theirs in zip(self.products, other.products, strict=True)
            ),
        )


NO_MOMENTS: Final = Moments(0, (0.0,) * VARIABLES, ((0.0,) * VARIABLES,) * VARIABLES)


def total(parts: Iterable[Moments]) -> Moments:
    """The moments of all groups together."""
    return sum(parts, NO_MOMENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSums:
    """The units of an arm, and the moments of each metric over them."""

    units: int
    moments: Mapping[Metric, Moments]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Both arms. `switched` counts units that saw both policies; they stay where they came first."""

    control: ArmSums
    treatment: ArmSums
    switched: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SumsQuestion:
    """Whose sums are asked for: units that were shown a slate of either policy in (start, until].

    What they did counts from their first slate on and within (since, until], and for the time before the experiment
    in (start - pre, start].
    """

    scope: Scope
    control: str
    treatment: str
    metrics: tuple[Metric, ...]
    start: datetime
    since: datetime
    until: datetime
    pre: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A metric at a look, as the difference of treatment and control with its always-valid interval.

    Of a guardrail `low` and `high` each hold by themselves. `limit` is what the difference must stay above for a
    guardrail to hold, `tuning` what the sequence was tuned by at its first look. None is for what wasn't measured.
    """

    metric: Metric
    role: Literal["primary", "guardrail"]
    span: Span
    standing: Standing
    control: float | None = None
    treatment: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float = 0.0
    deviation: float | None = None
    """The standard error of the difference."""
    variance_kept: float = 1.0
    """The share of the variance that is left after what was known before the experiment is taken out."""
    tuning: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen at the end of a day: `day` counts from 1."""

    day: int
    until: datetime
    control_units: int
    treatment_units: int
    switched: int
    ratio_p: float
    """The always-valid p-value of the arms' sizes; small where the shares are wrong."""
    measurements: tuple[Measurement, ...]
    decision: Decision
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """An experiment as it stands. `activation` is the number of the one that serves its treatment."""

    id: str
    plan: ExperimentPlan
    state: ExperimentState
    revision: int
    created_at: datetime
    created_by: str
    changed_at: datetime
    control: str | None = None
    activation: int | None = None
    started_at: datetime | None = None
    held_out_since: int | None = None
    """The day of the look at which the holdout began."""
    ended_at: datetime | None = None
    outcome: str = ""
    """What it came to, in a word: better, unclear, or why it was stopped."""
    looks: tuple[Look, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeQuestion:
    """How long an experiment has to run.

    `effect` is the relative change of the metric that is to be found with the probability `power`. What isn't given
    of the last three is read from the last week's events.
    """

    scope: Scope
    metric: Metric
    effect: float
    percent: float = 50.0
    power: float = 0.8
    alpha: float = 0.05
    value: float | None = None
    deviation: float | None = None
    """The standard deviation between units."""
    units_a_week: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Units that it takes, and days at the pace of the last week: in one look at the end, and with a look a day."""

    value: float
    deviation: float
    units_a_week: float
    difference: float
    """The absolute effect."""
    fixed_units: int
    fixed_days: float | None
    sequential_units: int
    sequential_days: float | None
