"""Searches for weights: what was tried, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from reward_llm.api.wire.base import MomentOut, Outgoing
from reward_llm.domain.searching import (
    EvaluatorKind,
    Finalist,
    SearchMethod,
    SearchStudy,
    Stage,
    StudyResult,
    StudyState,
    Trial,
)
from reward_llm.domain.simulation import RecommenderName
from reward_llm.domain.what_if import Expected


class ExpectedWire(Outgoing):
    """A metric with the standard error of its mean."""

    mean: float
    error: float


class ConstraintWire(Outgoing):
    """That a metric isn't below a bound."""

    metric: str
    least: float
    relative: bool


class EvaluatorWire(Outgoing):
    """What was asked."""

    kind: EvaluatorKind
    users: int
    days: int
    seeds: int
    recommender: RecommenderName


class TrialWire(Outgoing):
    """Weights that were tried."""

    number: int
    stage: Stage
    of: int | None = Field(description="In the finals: the trial whose weights were measured again.")
    weights: dict[str, float]
    metrics: dict[str, ExpectedWire]
    violation: float = Field(
        description="By how much constraints are broken, as shares of their bounds; 0 if none is."
    )
    seed: int

    @classmethod
    def of_trial(cls, trial: Trial) -> TrialWire:
        """The trial itself."""
        return cls(
            number=trial.number,
            stage=trial.stage,
            of=trial.of,
            weights=dict(trial.weights),
            metrics=_metrics(trial.metrics),
            violation=trial.violation,
            seed=trial.seed,
        )


class FinalistWire(Outgoing):
    """One of the best weights, measured again; errors are those of the difference from what is in force."""

    trial: int
    weights: dict[str, float]
    evaluations: int
    metrics: dict[str, ExpectedWire]
    violation: float
    contribution: float = Field(description="What the finalists' hypervolume would lose without it.")

    @classmethod
    def of(cls, finalist: Finalist) -> FinalistWire:
        """The finalist itself."""
        return cls(
            trial=finalist.trial,
            weights=dict(finalist.weights),
            evaluations=finalist.evaluations,
            metrics=_metrics(finalist.metrics),
            violation=finalist.violation,
            contribution=finalist.contribution,
        )


class HypervolumeWire(Outgoing):
    """What was dominated after so many evaluations, in shares of what is in force."""

    evaluations: int
    hypervolume: float


class SearchResultWire(Outgoing):
    """What the search came to."""

    front: list[int] = Field(description="The trials that no other one beats.")
    hypervolume: list[HypervolumeWire]
    reference: dict[str, float] = Field(description="The point from which hypervolumes are measured.")
    in_force: FinalistWire
    finalists: list[FinalistWire]
    chosen: int | None = Field(description="The trial that would be proposed; null if none keeps to the constraints.")

    @classmethod
    def of(cls, result: StudyResult) -> SearchResultWire:
        """The result itself."""
        return cls(
            front=list(result.front),
            hypervolume=[HypervolumeWire(evaluations=n, hypervolume=volume) for n, volume in result.hypervolume],
            reference=dict(result.reference),
            in_force=FinalistWire.of(result.in_force),
            finalists=[FinalistWire.of(one) for one in result.finalists],
            chosen=result.chosen,
        )


class SearchProgressWire(Outgoing):
    """How many evaluations are done, of how many."""

    done: int
    of: int


class SearchProblemWire(Outgoing):
    """Why it failed."""

    code: str
    detail: str
    hint: str | None


class SearchSummaryWire(Outgoing):
    """A search as it stands in a list."""

    id: str
    state: StudyState
    progress: SearchProgressWire
    scenario: str
    segment: str | None
    method: SearchMethod
    objectives: list[str]
    constraints: list[ConstraintWire]
    evaluator: EvaluatorWire
    budget: int
    seed: int
    prefer: str | None
    in_force: dict[str, float]
    in_force_policy: str
    created_at: MomentOut
    created_by: str
    changed_at: MomentOut
    problem: SearchProblemWire | None
    policy_id: str | None = Field(description="What was proposed of it; null until somebody did.")

    @classmethod
    def of(cls, study: SearchStudy) -> SearchSummaryWire:
        """The study itself."""
        return cls(**_told(study))


class SearchWire(SearchSummaryWire):
    """A search with everything that was tried."""

    trials: list[TrialWire]
    result: SearchResultWire | None = Field(description="null until it is done.")

    @classmethod
    def of(cls, study: SearchStudy) -> SearchWire:
        """The study itself, with its trials."""
        return cls(
            **_told(study),
            trials=[TrialWire.of_trial(trial) for trial in study.trials],
            result=SearchResultWire.of(study.result) if study.result else None,
        )


def _told(study: SearchStudy) -> dict[str, Any]:
    plan, problem = study.plan, study.problem
    return {
        "id": study.id,
        "state": study.state,
        "progress": SearchProgressWire(done=study.done, of=study.done if study.result else plan.steps),
        "scenario": plan.scenario,
        "segment": plan.segment,
        "method": plan.method,
        "objectives": list(plan.objectives),
        "constraints": [
            ConstraintWire(metric=c.metric, least=c.least, relative=c.relative) for c in plan.constraints
        ],
        "evaluator": EvaluatorWire(
            kind=plan.evaluator.kind,
            users=plan.evaluator.users,
            days=plan.evaluator.days,
            seeds=plan.evaluator.seeds,
            recommender=plan.evaluator.recommender,
        ),
        "budget": plan.budget,
        "seed": plan.seed,
        "prefer": plan.prefer,
        "in_force": dict(plan.in_force),
        "in_force_policy": plan.in_force_policy,
        "created_at": study.created_at,
        "created_by": study.created_by,
        "changed_at": study.changed_at,
        "problem": problem and SearchProblemWire(code=problem.code, detail=problem.message, hint=problem.hint),
        "policy_id": study.policy_id,
    }


def _metrics(metrics: Mapping[str, Expected]) -> dict[str, ExpectedWire]:
    return {name: ExpectedWire(mean=found.mean, error=found.error) for name, found in metrics.items()}
