"""Policies: a person's edit, a policy, and putting one into force."""

from __future__ import annotations

from typing import Final

from pydantic import ConfigDict, Field

from reward_llm.api.wire.base import Incoming, MomentIn, MomentOut, Outgoing, WeightsByUtility
from reward_llm.domain.policy import Activation, RewardPolicy, Source

MAX_REASON_CHARS: Final = 1_000
EVERYBODY_PERCENT: Final = 100


class PolicyEdit(Incoming):
    """Weights that a person sets, and why."""

    scenario: str = Field(examples=["home_feed"])
    segment: str | None = Field(default=None, description="One of the scenario's segments; null for all users.")
    weights: WeightsByUtility
    reason: str = Field(
        min_length=1, max_length=MAX_REASON_CHARS, examples=["Weekend sale: more GMV, retention untouched."]
    )


class PolicyWire(Outgoing):
    """An immutable version of weights for a scope."""

    policy_id: str
    content_hash: str = Field(description="SHA-256 over the canonical JSON (RFC 8785) of the policy.")
    scenario: str
    segment: str | None
    version: int = Field(description="Counts the scope's policies from 1; 0 is the scenario's defaults.")
    weights: WeightsByUtility
    source: Source
    origin: str = Field(description="The goal or the edit that the weights came from.")
    created_at: MomentOut

    @classmethod
    def of(cls, policy: RewardPolicy) -> PolicyWire:
        """The policy itself."""
        return cls(
            policy_id=policy.policy_id,
            content_hash=policy.content_hash,
            scenario=policy.scope.scenario,
            segment=policy.scope.segment,
            version=policy.version,
            weights=dict(policy.weights),
            source=policy.source,
            origin=policy.origin,
            created_at=policy.created_at,
        )


class ActivationRequest(Incoming):
    """When a policy is to hold; from now on and without end if nothing is said."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"from": "2026-06-16T00:00:00+08:00", "until": "2026-06-21T00:00:00+08:00"}, {}]
        }
    )

    valid_from: MomentIn | None = Field(default=None, alias="from")
    valid_until: MomentIn | None = Field(default=None, alias="until")
    percent: float = Field(
        default=EVERYBODY_PERCENT, description="The share of users; only 100 is served, to everybody."
    )


class ActivationWire(Outgoing):
    """A policy put into force; of those that cover a moment the latest `sequence` wins."""

    sequence: int
    policy: PolicyWire
    valid_from: MomentOut | None = Field(serialization_alias="from")
    valid_until: MomentOut | None = Field(serialization_alias="until")
    percent: int
    activated_at: MomentOut
    activated_by: str

    @classmethod
    def of(cls, activation: Activation) -> ActivationWire:
        """The activation itself."""
        return cls(
            sequence=activation.sequence,
            policy=PolicyWire.of(activation.policy),
            valid_from=activation.window.valid_from,
            valid_until=activation.window.valid_until,
            percent=EVERYBODY_PERCENT,
            activated_at=activation.activated_at,
            activated_by=activation.activated_by,
        )
