"""Explanations: what a unit is served at a moment, and why."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from reward_llm.api.wire.activations import ActivationWire
from reward_llm.api.wire.base import MomentOut, Outgoing
from reward_llm.api.wire.policies import PolicyContent
from reward_llm.api.wire.scopes import FreezeWire
from reward_llm.domain.explanation import Explanation, Outcome, Step
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.ports import Freeze
from reward_llm.domain.serving import Rule


class StepWire(Outgoing):
    """An activation that covers the moment, and what became of it."""

    outcome: Outcome
    rule: Rule = Field(description="Whose it is: the segment's, or the scenario's.")
    bucket: float | None = Field(
        description="The unit's place in [0, 100), under a share of the users: below `percent`, it gets it."
    )
    activation: ActivationWire = Field(description="With its `percent` of that moment.")

    @classmethod
    def of(cls, step: Step, now: datetime) -> StepWire:
        """The step itself."""
        return cls(
            outcome=step.outcome,
            rule=step.rule,
            bucket=step.bucket,
            activation=ActivationWire.of(step.activation, now),
        )


class ExplanationWire(Outgoing):
    """What a unit is served at a moment, and why."""

    scenario: str
    segment: str | None
    unit: str | None = Field(description="Null is everybody, for whom partial rollouts don't count.")
    at: MomentOut
    policy: PolicyContent
    rule: Rule = Field(description="Whose activation won: the segment's, the scenario's, or nobody's; or `frozen`.")
    serving: ActivationWire | None = Field(description="The activation that serves; null if none does.")
    frozen_by: list[FreezeWire] = Field(description="The freezes that hold at the moment.")
    steps: list[StepWire] = Field(description="What covers the moment, in the order in which it is asked.")

    @classmethod
    def of(
        cls,
        found: Explanation,
        *,
        default: RewardPolicy,
        unit: str | None,
        at: datetime,
        frozen_by: tuple[Freeze, ...],
        now: datetime,
    ) -> ExplanationWire:
        """The explanation of a moment, as it is known now."""
        scope, serving = default.scope, found.serving
        return cls(
            scenario=scope.scenario,
            segment=scope.segment,
            unit=unit,
            at=at,
            policy=PolicyContent.of(serving.policy if serving else default),
            rule=found.rule,
            serving=ActivationWire.of(serving, now) if serving else None,
            frozen_by=[FreezeWire.of(f) for f in frozen_by],
            steps=[StepWire.of(s, now) for s in found.steps],
        )
