"""Weights as they are served: the models describe what `reward_llm.delivery.encoding` writes."""

from __future__ import annotations

from pydantic import Field

from reward_llm.api.wire.base import MomentOut, Outgoing, WeightsByUtility
from reward_llm.domain.policy import Source
from reward_llm.domain.serving import Rule


class RolloutWire(Outgoing):
    """The activation that serves, and the share of users that it is for."""

    activation: int = Field(description="Its number.")
    percent: float


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


class WeightsWire(ScopeWeights):
    """The weights that hold for a scope now, and how sure the service is of it."""

    stale: bool = Field(description="Whether the database last confirmed this too long ago.")
    age_s: float = Field(description="Seconds since the database last confirmed this.")


class DefaultWire(Outgoing):
    """What holds where nothing was activated, and in a frozen scope."""

    policy_id: str
    version: int
    weights: WeightsByUtility
    source: Source


class ActivationInSnapshot(DefaultWire):
    """A policy that is in force in [start, end), for a share of the units."""

    activation: int = Field(description="Its number.")
    percent: float = Field(description="The share of units that it is for, over 0 and at most 100.")
    start: MomentOut
    end: MomentOut | None


class SnapshotItem(ScopeWeights):
    """The weights that hold for a scope now, and what is known of those that will."""

    frozen: bool
    default: DefaultWire
    activations: list[ActivationInSnapshot] = Field(
        description="The scope's own that may win now or later, the one with the greatest precedence first."
    )


class SnapshotWire(Outgoing):
    """The weights of every scenario and each of its segments."""

    revision: int = Field(description="How many changes of activations and freezes this knows of; it only grows.")
    as_of: MomentOut = Field(description="When these weights hold, by the service's clock.")
    stale: bool = Field(description="Whether the database last confirmed this too long ago.")
    age_s: float = Field(description="Seconds since the database last confirmed this.")
    items: list[SnapshotItem]
