"""Policies: a person's edit, and what a policy is."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from reward_llm.api.wire.base import Incoming, MomentOut, Outgoing, WeightsByUtility
from reward_llm.domain.policy import RewardPolicy, Source

MAX_REASON_CHARS: Final = 1_000

Reason = Annotated[
    str,
    Field(min_length=1, max_length=MAX_REASON_CHARS, description="In a person's own words; the audit log keeps it."),
]


Comment = Annotated[str, Field(max_length=MAX_REASON_CHARS)]


class PolicyEdit(Incoming):
    """Weights that a person sets, and why."""

    scenario: str = Field(examples=["home_feed"])
    segment: str | None = Field(default=None, description="One of the scenario's segments; null for all users.")
    weights: WeightsByUtility
    reason: Reason = Field(examples=["Weekend sale: more GMV, retention untouched."])


class PolicyContent(Outgoing):
    """An immutable version of weights for a scope."""

    policy_id: str
    content_hash: str = Field(description="SHA-256 over the canonical JSON (RFC 8785) of the policy; its `ETag`.")
    scenario: str
    segment: str | None
    version: int = Field(description="Counts the scope's policies from 1; 0 is the scenario's defaults.")
    weights: WeightsByUtility
    source: Source
    origin: str = Field(description="The goal or the edit that the weights came from.")
    created_at: MomentOut

    @classmethod
    def of(cls, policy: RewardPolicy) -> PolicyContent:
        """The policy itself."""
        return cls(**content_of(policy))


def content_of(policy: RewardPolicy) -> dict[str, object]:
    """The fields of a policy's content."""
    return {
        "policy_id": policy.policy_id,
        "content_hash": policy.content_hash,
        "scenario": policy.scope.scenario,
        "segment": policy.scope.segment,
        "version": policy.version,
        "weights": dict(policy.weights),
        "source": policy.source,
        "origin": policy.origin,
        "created_at": policy.created_at,
    }
