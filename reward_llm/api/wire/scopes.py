"""Scopes: what holds in one, rolling it back, and its kill switch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import Field

from reward_llm.api.wire.activations import ActivationWire
from reward_llm.api.wire.base import Incoming, MomentOut, Outgoing
from reward_llm.api.wire.policies import Reason
from reward_llm.api.wire.weights import ScopeWeights
from reward_llm.domain.activation import Activation
from reward_llm.domain.ports import Freeze

MAX_SHOWN: Final = 20


class RollbackRequest(Incoming):
    """Why what holds is taken out of force, and which policy is to hold instead."""

    from_policy: str | None = Field(
        default=None, max_length=100, description="The one that is meant to be taken out; refused if another holds."
    )
    to_policy: str | None = Field(
        default=None, max_length=100, description="One that was in force or is approved; null for what lies below."
    )
    reason: Reason


class FreezeRequest(Incoming):
    """Whether the scope is to serve its baseline alone, and why."""

    frozen: bool
    reason: Reason


class FreezeWire(Outgoing):
    """That a scope serves its baseline alone, by whose hand and why."""

    scenario: str
    segment: str | None = Field(description="Null freezes the scenario with all its segments.")
    at: MomentOut
    by: str
    reason: str

    @classmethod
    def of(cls, freeze: Freeze) -> FreezeWire:
        """The freeze itself."""
        scope = freeze.scope
        return cls(scenario=scope.scenario, segment=scope.segment, at=freeze.at, by=freeze.by, reason=freeze.reason)


class ScopeWire(Outgoing):
    """What holds in a scope, what lies below it and what is to come."""

    scenario: str
    segment: str | None
    served: ScopeWeights = Field(description="What everybody gets who isn't in a partial rollout.")
    frozen: bool
    frozen_by: list[FreezeWire] = Field(
        description="The freezes that hold: the scope's own, its scenario's, or both."
    )
    stack: list[ActivationWire] = Field(
        description=f"The scope's activations that cover now, the winning one first; {MAX_SHOWN} at most."
    )
    inherited: list[ActivationWire] = Field(
        description=f"Below them, those of the scenario, for a segment; {MAX_SHOWN} at most."
    )
    coming: list[ActivationWire] = Field(description="The scope's activations that begin later, the next first.")


class RollbackWire(Outgoing):
    """What was taken out of force, and what holds now."""

    ended: list[ActivationWire]
    activation: ActivationWire | None = Field(description="That of `to_policy`; null if what lay below returned.")
    scope: ScopeWire


def activation_wires(activations: Sequence[Activation], now: datetime) -> list[ActivationWire]:
    """The activations as they are now."""
    return [ActivationWire.of(a, now) for a in activations]
