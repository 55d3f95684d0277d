"""Weights as they are served."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from reward_llm.api.wire.base import MomentOut, Outgoing, WeightsByUtility
from reward_llm.domain.policy import Source
from reward_llm.domain.serving import Rollout, Rule, ServedWeights


class RolloutWire(Outgoing):
    """The activation that serves, and the share of users that it is for."""

    activation: int = Field(description="Its number.")
    percent: float

    @classmethod
    def of(cls, rollout: Rollout) -> RolloutWire:
        """The rollout itself."""
        return cls(activation=rollout.activation, percent=rollout.percent)


class ScopeWeights(Outgoing):
    """The weights that hold for a scope now."""

    scenario: str
    segment: str | None
    policy_id: str
    version: int
    utilities: list[str] = Field(description="The scenario's utilities, in the order of `vector`.")
    weights: WeightsByUtility
    vector: list[float]
    source: Source
    rule: Rule = Field(description="Whose activation won: the segment's, the scenario's, or nobody's; or `frozen`.")
    rollout: RolloutWire | None = Field(description="The activation that serves; null if none does.")
    valid_until: MomentOut | None = Field(description="When other weights will hold, as far as is known now.")

    @classmethod
    def of(cls, served: ServedWeights, utilities: Sequence[str]) -> ScopeWeights:
        """The weights in the order of the utilities."""
        policy = served.policy
        weights = {u: policy.weights[u] for u in utilities}
        return cls(
            scenario=served.scope.scenario,
            segment=served.scope.segment,
            policy_id=served.policy_id,
            version=policy.version,
            utilities=list(utilities),
            weights=weights,
            vector=list(weights.values()),
            source=policy.source,
            rule=served.rule,
            rollout=RolloutWire.of(served.rollout) if served.rollout else None,
            valid_until=served.valid_until,
        )


class WeightsWire(ScopeWeights):
    """The weights that hold for a scope now, and how sure the service is of it."""

    stale: bool = Field(description="Whether the database last confirmed this too long ago.")
    age_s: float = Field(description="Seconds since the database last confirmed this.")


class SnapshotWire(Outgoing):
    """The weights of every scenario and each of its segments."""

    stale: bool
    age_s: float
    items: list[ScopeWeights]
