"""Proposals: the weights that a goal asks for, where they came from, and how far their policy has come."""

from __future__ import annotations

from pydantic import Field

from reward_llm.api.wire.base import Outgoing, WeightsByUtility
from reward_llm.api.wire.reviews import ReviewWire
from reward_llm.api.wire.standings import PolicyWire, RequirementWire
from reward_llm.domain.lifecycle import PolicyState
from reward_llm.domain.policy import Proposal, RewardPolicy, Source
from reward_llm.domain.weights import Weights


class AttemptWire(Outgoing):
    """One step of the way to the answer."""

    source: Source
    succeeded: bool
    reason: str | None
    duration_s: float


class ProposalWire(Outgoing):
    """The weights that the goal asks for, as a policy that can be activated; on no_change the active one."""

    policy_id: str
    content_hash: str
    version: int
    weights: WeightsByUtility
    previous_weights: WeightsByUtility | None = Field(
        description="The weights in force when the goal was read; null if its scenario is gone."
    )
    source: Source = Field(description="Who read the goal.")
    reason: str | None = Field(description="Why the first choice didn't answer; null if it did.")
    confidence: float | None = Field(description="That of the least certain part of the reading.")
    needs_review: bool = Field(description="Whether a person must look at the reading before it is activated.")
    review: ReviewWire | None = Field(description="Why, and what else the goal may mean; null if it needs none.")
    policy_state: PolicyState | None = Field(description="How far the policy has come; null for the defaults.")
    requirement: RequirementWire | None = Field(
        description="The approvals that activating the policy now would take; null for the defaults."
    )
    attempts: list[AttemptWire]
    prompt: str | None = Field(
        description="The version that the model was asked with; null if none was.", examples=["goal_to_intents@2"]
    )
    prompt_hash: str | None
    prompt_reason: str | None = Field(description="Why that was the version that ships instead of production's.")
    model: str | None
    checkpoint_hash: str | None
    seed: int | None

    @classmethod
    def of(
        cls, proposal: Proposal, policy: RewardPolicy, previous: Weights | None, judged: PolicyWire | None
    ) -> ProposalWire:
        """The proposal as the policy that it became, and that policy as it stands now."""
        provenance = proposal.provenance
        return cls(
            policy_id=policy.policy_id,
            content_hash=policy.content_hash,
            version=policy.version,
            weights=dict(policy.weights),
            previous_weights=dict(previous) if previous else None,
            source=proposal.source,
            reason=proposal.reason,
            confidence=proposal.interpretation.confidence,
            needs_review=proposal.review is not None,
            review=ReviewWire.of(proposal.review) if proposal.review else None,
            policy_state=judged.state if judged else None,
            requirement=judged.requirement if judged else None,
            attempts=[
                AttemptWire(source=a.source, succeeded=a.succeeded, reason=a.reason, duration_s=a.duration_s)
                for a in provenance.attempts
            ],
            prompt=provenance.prompt,
            prompt_hash=provenance.prompt_hash,
            prompt_reason=provenance.prompt_reason,
            model=provenance.model,
            checkpoint_hash=provenance.checkpoint_hash,
            seed=provenance.seed,
        )
