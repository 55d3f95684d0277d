"""Simulations: what is compared, how far it is, and what came of it."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from reward_llm.api.wire.base import Incoming, MomentOut, Outgoing, WeightsByUtility
from reward_llm.domain.goal import MAX_TEXT_CHARS
from reward_llm.domain.preview import Interval
from reward_llm.domain.simulation import (
    MAX_ARMS,
    MAX_DAYS,
    MAX_SEEDS,
    MIN_DAYS,
    MIN_SEEDS,
    OUTCOME_FACTS,
    ArmOrigin,
    ArmOutcome,
    Outcome,
    OutcomeRow,
    OutcomeUnit,
    RecommenderName,
    SimulationArm,
    SimulationJob,
    SimulationReport,
    SimulationState,
    Verdict,
)

MAX_ARM_NAME: Final = 60


class ArmRequest(Incoming):
    """One recommender, under at most one of a policy, a goal and weights; without any, under the weights in force."""

    recommender: RecommenderName = Field(default=RecommenderName.MARKETPLACE, strict=False)
    name: str | None = Field(default=None, min_length=1, max_length=MAX_ARM_NAME, description="null: it gets one.")
    policy_id: str | None = Field(default=None, max_length=100)
    goal: str | None = Field(
        default=None,
        max_length=MAX_TEXT_CHARS,
        description="Read as a submitted one, against what is in force; nothing of it is kept.",
    )
    weights: WeightsByUtility | None = Field(default=None, description="Utilities that are left out weigh nothing.")


class SimulationRequest(Incoming):
    """What is to be compared."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "scenario": "home_feed",
                    "arms": [{"name": "now"}, {"name": "sale", "goal": "618大促，GMV目标1亿"}],
                    "quick": True,
                }
            ]
        }
    )

    scenario: str = Field(examples=["home_feed"])
    segment: str | None = Field(
        default=None, description="Whose weights in force are meant; the simulated users are those of the market."
    )
    arms: list[ArmRequest] = Field(
        min_length=1, max_length=MAX_ARMS, description="The others are compared with the first."
    )
    quick: bool = Field(default=False, description="A small market and few seeds: seconds instead of minutes.")
    seeds: int | None = Field(
        default=None, ge=MIN_SEEDS, le=MAX_SEEDS, description="How often everything is repeated; null: as usual."
    )
    days: int = Field(default=MAX_DAYS, ge=MIN_DAYS, le=MAX_DAYS)


class ArmWire(Outgoing):
    """A recommender and its weights."""

    name: str
    recommender: RecommenderName
    origin: ArmOrigin = Field(description="Where the weights came from.")
    source: str = Field(description="Who made the weights.")
    policy_id: str | None
    goal: str | None
    weights: dict[str, float]

    @classmethod
    def of(cls, arm: SimulationArm) -> ArmWire:
        """The arm itself."""
        return cls(
            name=arm.name,
            recommender=arm.recommender,
            origin=arm.origin,
            source=arm.source,
            policy_id=arm.policy_id,
            goal=arm.goal,
            weights=dict(arm.weights),
        )


class SpreadWire(Outgoing):
    """A mean over the seeds, and where it lies with the result's confidence."""

    mean: float
    low: float
    high: float


class ArmOutcomeWire(Outgoing):
    """An outcome under one arm."""

    arm: str
    mean: float | None = Field(description="null, with its ends, where a seed gave nothing to measure.")
    low: float | None
    high: float | None
    by_seed: list[float | None]
    difference: SpreadWire | None = Field(description="From the first arm, seed by seed; null for that itself.")
    ratio: float | None = Field(description="Of its mean to the first arm's; null where that is 0, and for itself.")
    verdict: Verdict | None = Field(
        description="Against the first arm; unclear where 0 lies within the difference's interval."
    )

    @classmethod
    def of(cls, row: OutcomeRow, arm: ArmOutcome) -> ArmOutcomeWire:
        """The outcome itself, and how it is to be taken."""
        return cls(
            arm=arm.arm,
            mean=arm.interval.mean if arm.interval else None,
            low=arm.interval.low if arm.interval else None,
            high=arm.interval.high if arm.interval else None,
            by_seed=list(arm.by_seed),
            difference=_spread(arm.difference) if arm.difference else None,
            ratio=arm.ratio,
            verdict=row.verdict(arm),
        )


class OutcomeRowWire(Outgoing):
    """One row of the table."""

    outcome: Outcome
    unit: OutcomeUnit
    better: Literal["higher", "lower"]
    arms: list[ArmOutcomeWire]


class CurveWire(Outgoing):
    """An outcome under one arm, day by day; null where there was nothing to measure."""

    outcome: Outcome
    arm: str
    days: list[SpreadWire | None]


class SimulationResult(Outgoing):
    """What came of it."""

    confidence: float
    rows: list[OutcomeRowWire]
    curves: list[CurveWire]
    duration_s: float

    @classmethod
    def of(cls, report: SimulationReport) -> SimulationResult:
        """The report itself."""
        return cls(
            confidence=report.confidence,
            rows=[
                OutcomeRowWire(
                    outcome=row.outcome,
                    unit=OUTCOME_FACTS[row.outcome].unit,
                    better=OUTCOME_FACTS[row.outcome].better,
                    arms=[ArmOutcomeWire.of(row, arm) for arm in row.arms],
                )
                for row in report.rows
            ],
            curves=[
                CurveWire(outcome=c.outcome, arm=c.arm, days=[_spread(d) if d else None for d in c.days])
                for c in report.curves
            ],
            duration_s=report.duration_s,
        )


class ProgressWire(Outgoing):
    """How many simulated days are done, of how many."""

    done: int
    of: int


class SimulationProblemWire(Outgoing):
    """Why it failed."""

    code: str
    detail: str
    hint: str | None


class SimulationSummaryWire(Outgoing):
    """A simulation as it stands in a list."""

    id: str
    state: SimulationState
    progress: ProgressWire
    scenario: str
    segment: str | None
    arms: list[ArmWire]
    seeds: int
    days: int
    users: int
    created_at: MomentOut
    created_by: str
    started_at: MomentOut | None
    finished_at: MomentOut | None
    problem: SimulationProblemWire | None

    @classmethod
    def of(cls, job: SimulationJob) -> SimulationSummaryWire:
        """The job itself."""
        return cls(**_told(job))


class SimulationWire(SimulationSummaryWire):
    """A simulation with what came of it."""

    result: SimulationResult | None = Field(description="null until it is done.")

    @classmethod
    def of(cls, job: SimulationJob) -> SimulationWire:
        """The job itself."""
        return cls(**_told(job), result=SimulationResult.of(job.report) if job.report else None)


def _told(job: SimulationJob) -> dict[str, Any]:
    plan, problem = job.plan, job.problem
    return {
        "id": job.id,
        "state": job.state,
        "progress": ProgressWire(done=job.done, of=plan.steps),
        "scenario": plan.scenario,
        "segment": plan.segment,
        "arms": [ArmWire.of(arm) for arm in plan.arms],
        "seeds": plan.seeds,
        "days": plan.days,
        "users": plan.users,
        "created_at": job.created_at,
        "created_by": job.created_by,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "problem": problem and SimulationProblemWire(code=problem.code, detail=problem.message, hint=problem.hint),
    }


def _spread(interval: Interval) -> SpreadWire:
    return SpreadWire(mean=interval.mean, low=interval.low, high=interval.high)
