"""What a search is asked for, and which of its finds is to be proposed."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import ConfigDict, Field

from reward_llm.api.wire.base import Incoming
from reward_llm.domain.searching import (
    MAX_BUDGET,
    MAX_CONSTRAINTS,
    MAX_FINAL_EVALUATIONS,
    MAX_FINALISTS,
    MAX_OBJECTIVES,
    Constraint,
    Evaluator,
    EvaluatorKind,
    SearchMethod,
)
from reward_llm.domain.simulation import MAX_DAYS, MAX_SEEDS, MIN_DAYS, RecommenderName

MAX_SEED: Final = 1_000_000
MAX_USERS: Final = 1_000

MetricName = Annotated[str, Field(min_length=1, max_length=60, examples=["gmv", "next_day_retention"])]


class ConstraintRequest(Incoming):
    """That a metric isn't below a bound."""

    metric: MetricName
    least: float
    relative: bool = Field(default=False, description="`least` is a share of what it is under the weights in force.")


class EvaluatorRequest(Incoming):
    """What says what weights would bring; the numbers are the size of a simulated market."""

    kind: EvaluatorKind = Field(default=EvaluatorKind.SIMULATOR, strict=False)
    users: int = Field(default=60, ge=40, le=MAX_USERS)
    days: int = Field(default=MIN_DAYS, ge=MIN_DAYS, le=MAX_DAYS)
    seeds: int = Field(default=2, ge=1, le=MAX_SEEDS, description="Markets that every set of weights lives through.")
    recommender: RecommenderName = Field(default=RecommenderName.BANDIT, strict=False)


class SearchRequest(Incoming):
    """What is to be searched for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "scenario": "home_feed",
                    "objectives": ["gmv", "interest_diversity"],
                    "constraints": [{"metric": "next_day_retention", "least": 0.98, "relative": True}],
                    "method": "tpe",
                    "budget": 64,
                }
            ]
        }
    )

    scenario: str
    segment: str | None = None
    objectives: list[MetricName] = Field(
        min_length=1, max_length=MAX_OBJECTIVES, description="More of each is better."
    )
    constraints: list[ConstraintRequest] = Field(default=[], max_length=MAX_CONSTRAINTS)
    method: SearchMethod = Field(default=SearchMethod.TPE, strict=False)
    evaluator: EvaluatorRequest = EvaluatorRequest()
    budget: int = Field(default=64, ge=1, le=MAX_BUDGET, description="Evaluations of the search.")
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    finalists: int = Field(default=4, ge=1, le=MAX_FINALISTS, description="How many are measured again.")
    final_evaluations: int = Field(default=16, ge=0, le=MAX_FINAL_EVALUATIONS, description="On fresh seeds, in all.")
    prefer: MetricName | None = Field(
        default=None,
        description="The objective by which one of the finalists is chosen; null: what adds most to the hypervolume.",
    )

    def constraints_asked(self) -> tuple[Constraint, ...]:
        """The constraints as the domain has them."""
        return tuple(Constraint(**one.model_dump()) for one in self.constraints)

    def evaluator_asked(self) -> Evaluator:
        """The evaluator as the domain has it."""
        return Evaluator(**self.evaluator.model_dump())


class SearchProposal(Incoming):
    """Which finalist is to be proposed, and why."""

    trial: int | None = Field(default=None, ge=1, description="A finalist's; null: the chosen one.")
    reason: str = Field(default="", max_length=500)
