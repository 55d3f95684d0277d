"""Weights as OpenFeature's remote evaluation protocol (OFREP) has them: every scenario is an object flag."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from reward_llm.api.wire.base import MomentOut, Outgoing, WeightsByUtility
from reward_llm.domain.evaluation import MAX_UNIT_CHARS, Reason
from reward_llm.domain.policy import Source
from reward_llm.domain.serving import Rule


class ErrorCode(StrEnum):
    """Why a flag has no value, in OpenFeature's words."""

    PARSE_ERROR = "PARSE_ERROR"
    INVALID_CONTEXT = "INVALID_CONTEXT"
    FLAG_NOT_FOUND = "FLAG_NOT_FOUND"


class EvaluationContext(BaseModel):
    """Whom weights are for; what else an application knows of them is ignored."""

    model_config = ConfigDict(strict=True, frozen=True)

    targeting_key: str | None = Field(
        default=None,
        alias="targetingKey",
        max_length=MAX_UNIT_CHARS,
        description="Whom the weights are for, such as a user's id; without one, partial rollouts don't count.",
        examples=["u-17"],
    )
    segment: str | None = Field(
        default=None, description="A segment of the scenario; without one, the scenario's own weights."
    )


class EvaluationRequest(BaseModel):
    """What a flag is evaluated for."""

    model_config = ConfigDict(strict=True, frozen=True)

    context: EvaluationContext | None = None


class FlagValue(Outgoing):
    """The weights themselves."""

    policy_id: str
    version: int
    utilities: list[str] = Field(description="The scenario's utilities, in the order of `vector`.")
    weights: WeightsByUtility
    vector: list[float]


class FlagMetadata(Outgoing):
    """What stands beside the weights; what there isn't is left out, because metadata has no nulls."""

    revision: int = Field(description="How many changes of what is served the answer takes into account.")
    source: Source
    rule: Rule
    stale: bool = Field(description="Whether the database last confirmed this too long ago.")
    age_s: float = Field(description="Seconds since the database last confirmed this.")
    activation: int | None = Field(default=None, description="The number of the activation that serves.")
    percent: float | None = Field(default=None, description="The share of users that it is for.")
    valid_until: MomentOut | None = Field(
        default=None, description="When other weights will hold, as far as is known now."
    )


class Evaluation(Outgoing):
    """A flag's value."""

    key: str = Field(description="The scenario.")
    reason: Reason
    variant: str = Field(description="The policy's id.")
    value: FlagValue
    metadata: FlagMetadata


class BulkEvaluationFailure(Outgoing):
    """Why no flag was evaluated."""

    error_code: ErrorCode = Field(serialization_alias="errorCode")
    error_details: str = Field(serialization_alias="errorDetails", description="What is wrong, and what to do next.")


class EvaluationFailure(BulkEvaluationFailure):
    """Why a flag has no value."""

    key: str


class BulkMetadata(Outgoing):
    """What all flags have in common."""

    revision: int
    stale: bool
    age_s: float


class BulkEvaluation(Outgoing):
    """All flags; one whose scenario hasn't the context's segment has no value."""

    flags: list[Evaluation | EvaluationFailure]
    metadata: BulkMetadata
