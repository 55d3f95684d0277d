"""Weighing: the weights that a reading asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.types import JsonValue

from reward_llm.api.wire.base import Incoming, Outgoing, WeightsByUtility
from reward_llm.api.wire.problem import ViolationWire
from reward_llm.domain.interpretation import MAX_INTENTS, Direction, Emphasis, Intent
from reward_llm.domain.review_rules import Requirement
from reward_llm.domain.serving import ServedWeights
from reward_llm.errors import Violation

_EXAMPLE: Mapping[str, JsonValue] = {
    "scenario": "home_feed",
    "intents": [
        {"utility": "gmv", "direction": "raise", "emphasis": "clear"},
        {"utility": "retention", "direction": "hold"},
    ],
}


class IntentIn(Incoming):
    """One thing that a goal asks for."""

    utility: str
    direction: Annotated[Direction, Field(strict=False)]
    emphasis: Annotated[Emphasis, Field(strict=False, description="A hold needs none.")] = Emphasis.CLEAR

    def intent(self) -> Intent:
        """The intent itself."""
        return Intent(utility=self.utility, direction=self.direction, emphasis=self.emphasis)


class WeighingRequest(Incoming):
    """A reading to weigh; nothing of it is kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [dict(_EXAMPLE)]})

    scenario: str = Field(examples=["home_feed"])
    segment: str | None = Field(default=None, description="One of the scenario's segments; null for all users.")
    intents: list[IntentIn] = Field(max_length=MAX_INTENTS, description="At most one for each utility.")


class NeededWire(Outgoing):
    """The approvals that a person's edit to such weights would take."""

    approvals: int
    self_approval: bool = Field(description="Whether the author's own approval counts.")
    reasons: list[str] = Field(description="Why it isn't fewer; empty where none are needed.")


class WeighingWire(Outgoing):
    """The weights that a reading asks for, beside those that are in force for everybody."""

    scenario: str
    segment: str | None
    policy_id: str = Field(description="What is in force.")
    now: WeightsByUtility
    weights: WeightsByUtility
    step: float = Field(description="The L1 distance between the two.")
    gate: list[ViolationWire] = Field(description="What the gate would refuse such weights for; empty if nothing.")
    requirement: NeededWire

    @classmethod
    def of(
        cls, served: ServedWeights, weights: Mapping[str, float], gate: Sequence[Violation], needed: Requirement
    ) -> WeighingWire:
        """The weights beside those that are served."""
        active = served.policy.weights
        return cls(
            scenario=served.scope.scenario,
            segment=served.scope.segment,
            policy_id=served.policy_id,
            now=dict(active),
            weights=dict(weights),
            step=sum(abs(weights[u] - active[u]) for u in active),
            gate=[ViolationWire(path=v.path, code=v.code, message=v.message) for v in gate],
            requirement=NeededWire(
                approvals=needed.approvals, self_approval=needed.self_approval, reasons=list(needed.reasons)
            ),
        )
