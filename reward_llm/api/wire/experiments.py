"""Experiments: what is tried, what every look saw, and what it came to."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from reward_llm.api.wire.base import Incoming, MomentOut, Outgoing
from reward_llm.domain.experiments import (
    MAX_GUARDRAILS,
    MAX_PERCENT,
    UNIT_METRICS,
    Decision,
    Experiment,
    ExperimentPlan,
    ExperimentState,
    Guardrail,
    Look,
    Measurement,
    Size,
    SizeQuestion,
    Span,
    Standing,
)
from reward_llm.domain.metrics import Metric
from reward_llm.domain.scenario import Scope

MAX_NAME: Final = 120
"""Characters of an experiment's name."""
_METRICS: Final = ", ".join(UNIT_METRICS)


class GuardrailRequest(Incoming):
    """A metric that may lose at most this share of its value under the control."""

    metric: Metric = Field(strict=False)
    margin: float = Field(default=0.0, description="0.02 puts up with a loss of 2 % of the control's value.")


class ExperimentRequest(Incoming):
    """What is to be tried against what is in force."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Less variety",
                    "treatment": "pol_3f9a",
                    "primary": "ctr",
                    "guardrails": [{"metric": "next_day_retention", "margin": 0.01}],
                }
            ]
        }
    )

    name: str = Field(min_length=1, max_length=MAX_NAME)
    treatment: str = Field(max_length=100, description="The policy that is tried; its scope is the experiment's.")
    primary: Metric = Field(strict=False, description=f"What is to get better: one of {_METRICS}.")
    guardrails: list[GuardrailRequest] = Field(default=[], max_length=MAX_GUARDRAILS)
    percent: float = Field(default=50.0, description=f"The share of units that is treated, at most {MAX_PERCENT:g}.")
    min_days: int = Field(default=14, description="A winner is decided on from this day on.")
    max_days: int = Field(default=17, description="What isn't decided by then ends as unclear.")
    holdout_days: int = Field(default=7, description="How long a winner is watched against the control.")
    pre_days: int = Field(default=7, description="Days before the start that sharpen the comparison; 0: none.")
    alpha: float = Field(default=0.05, description="The probability of any wrong decision over all looks.")
    reason: str = Field(default="", max_length=2_000)

    def plan(self, scope: Scope) -> ExperimentPlan:
        """The plan in the treatment's scope."""
        guardrails = tuple(Guardrail(metric=g.metric, margin=g.margin) for g in self.guardrails)
        told = self.model_dump(exclude={"guardrails", "reason"})
        return ExperimentPlan(scope=scope, guardrails=guardrails, **told)


class ReasonRequest(Incoming):
    """Why."""

    reason: str = Field(default="", max_length=2_000)


class GuardrailWire(Outgoing):
    """A guardrail."""

    metric: Metric
    margin: float


class MeasurementWire(Outgoing):
    """The difference treatment − control of a metric; null where nothing was measured."""

    metric: Metric
    role: Literal["primary", "guardrail"]
    span: Span = Field(description="All days, or the last seven.")
    standing: Standing
    control: float | None
    treatment: float | None
    difference: float | None
    low: float | None = Field(description="Ends that hold at all looks at once; of a guardrail each end by itself.")
    high: float | None
    limit: float = Field(description="What a guardrail's difference must stay above.")
    relative: float | None = Field(description="The difference by the control's value.")
    variance_kept: float = Field(description="The share of the variance that the days before the start left.")

    @classmethod
    def of(cls, found: Measurement) -> MeasurementWire:
        """The measurement."""
        relative = found.difference / found.control if found.difference is not None and found.control else None
        names = cls.model_fields.keys() - {"relative"}
        return cls(relative=relative, **{name: getattr(found, name) for name in names})


class LookWire(Outgoing):
    """What was seen at the end of a day."""

    day: int
    until: MomentOut
    control_units: int
    treatment_units: int
    switched: int = Field(description="Units that saw both policies; they count where they came first.")
    ratio_p: float = Field(description="Below 0.0005 the arms' sizes aren't those that were planned.")
    decision: Decision
    reason: str
    measurements: list[MeasurementWire]

    @classmethod
    def of(cls, look: Look) -> LookWire:
        """The look."""
        names = cls.model_fields.keys() - {"measurements"}
        measurements = [MeasurementWire.of(m) for m in look.measurements]
        return cls(measurements=measurements, **{name: getattr(look, name) for name in names})


class ExperimentSummaryWire(Outgoing):
    """An experiment as it stands in a list."""

    id: str
    name: str
    scenario: str
    segment: str | None
    state: ExperimentState
    outcome: str = Field(description="better, unclear, or why it was stopped; '' while it goes on.")
    treatment: str
    control: str | None = Field(description="What was in force when it started; null before.")
    percent: float
    primary: Metric
    guardrails: list[GuardrailWire]
    min_days: int
    max_days: int
    holdout_days: int
    pre_days: int
    alpha: float
    revision: int
    activation: int | None = Field(
        description="What serves the treatment. To promote a winner, change it to 100 percent: a person's act."
    )
    held_out_since: int | None = Field(description="The day on which the holdout began.")
    created_at: MomentOut
    created_by: str
    started_at: MomentOut | None
    ended_at: MomentOut | None
    last_look: LookWire | None

    @classmethod
    def of(cls, experiment: Experiment) -> ExperimentSummaryWire:
        """The experiment with its last look."""
        return cls(**_told(experiment))


class ExperimentWire(ExperimentSummaryWire):
    """An experiment with all of its looks."""

    looks: list[LookWire]

    @classmethod
    def of(cls, experiment: Experiment) -> ExperimentWire:
        """The experiment with all of its looks."""
        return cls(**_told(experiment), looks=[LookWire.of(look) for look in experiment.looks])


class SizeRequest(BaseModel):
    """What an experiment is to find; what isn't known of the last three is read from the last week's events."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scenario: str = Field(max_length=100, pattern=r"^[\x20-\x7e]+$")
    segment: str | None = Field(default=None, max_length=100, pattern=r"^[\x20-\x7e]*$")
    metric: Metric
    effect: float = Field(gt=0, le=10, description="Relative: 0.02 is 2 % more than now.")
    percent: float = Field(default=50.0, gt=0, le=MAX_PERCENT, description="The share of units that is treated.")
    power: float = Field(default=0.8, ge=0.5, lt=1, description="The probability with which the effect is found.")
    alpha: float = Field(default=0.05, gt=0, le=0.2)
    value: float | None = Field(default=None, gt=0)
    deviation: float | None = Field(default=None, gt=0)
    units_a_week: float | None = Field(default=None, gt=0)

    def question(self) -> SizeQuestion:
        """The question."""
        return SizeQuestion(
            scope=Scope(self.scenario, self.segment or None), **self.model_dump(exclude={"scenario", "segment"})
        )


class SizeWire(Outgoing):
    """How long an experiment has to run; null where no unit came in the last week."""

    scenario: str
    segment: str | None
    metric: Metric
    effect: float
    power: float
    alpha: float
    percent: float
    value: float = Field(description="The metric, as it is now or as it was given.")
    deviation: float = Field(description="The standard deviation of what units contribute to it.")
    units_a_week: float
    difference: float = Field(description="The effect, in the metric's own unit.")
    fixed_units: int = Field(description="Of both arms, for one look at the end.")
    fixed_days: float | None
    sequential_units: int = Field(description="Of both arms, at the latest, with looks whenever one likes.")
    sequential_days: float | None

    @classmethod
    def of(cls, size: Size, asked: SizeRequest) -> SizeWire:
        """The size, beside what was asked."""
        known = asked.model_dump(include=cls.model_fields.keys() - {"value", "deviation", "units_a_week"})
        return cls(**known, **{name: getattr(size, name) for name in cls.model_fields.keys() - known.keys()})


def _told(experiment: Experiment) -> dict[str, Any]:
    plan = experiment.plan
    of_plan = ("name", "treatment", "percent", "primary", "min_days", "max_days", "holdout_days", "pre_days", "alpha")
    of_it = ("id", "state", "outcome", "control", "revision", "activation", "held_out_since")
    when = ("created_at", "created_by", "started_at", "ended_at")
    return {
        **{name: getattr(plan, name) for name in of_plan},
        **{name: getattr(experiment, name) for name in (*of_it, *when)},
        "scenario": plan.scope.scenario,
        "segment": plan.scope.segment,
        "guardrails": [GuardrailWire(metric=g.metric, margin=g.margin) for g in plan.guardrails],
        "last_look": LookWire.of(experiment.looks[-1]) if experiment.looks else None,
    }
