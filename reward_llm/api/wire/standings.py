"""Policies as they stand: their state, what was decided on them, and what is asked of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field

from reward_llm.api.wire.activations import ActivationSummary
from reward_llm.api.wire.base import Incoming, MomentOut, Outgoing
from reward_llm.api.wire.policies import Comment, PolicyContent, Reason, content_of
from reward_llm.domain.lifecycle import PolicyState, ReviewFact, Standing, Verdict, state_of
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.review_rules import Requirement

_UNDECIDED: Final[dict[str, Any]] = {
    "state": None,
    "author": None,
    "requirement": None,
    "decisions": [],
    "activations": [],
}


class ReviewRequest(Incoming):
    """That a policy waits for decisions."""

    comment: Comment = ""


class DecisionRequest(Incoming):
    """What somebody thinks of exactly these weights."""

    decision: Literal["approve", "reject"]
    content_hash: str = Field(description="That of the policy that was looked at.", max_length=100)
    comment: Comment = Field(default="", description="A rejection needs one.")


class WithdrawalRequest(Incoming):
    """Why a policy is taken back."""

    reason: Reason


class RequirementWire(Outgoing):
    """The approvals that the review rules ask for over what is in force now, and those that there are."""

    approvals: int
    given: int = Field(description="Standing approvals that count.")
    self_approval: bool = Field(description="Whether the author's own approval counts.")
    reasons: list[str] = Field(description="Why it isn't fewer; empty where none are needed.")

    @classmethod
    def of(cls, required: Requirement, standing: Standing) -> RequirementWire:
        """What is required of a policy, and how far it has come."""
        return cls(
            approvals=required.approvals,
            given=len(standing.approvers(self_approval=required.self_approval)),
            self_approval=required.self_approval,
            reasons=list(required.reasons),
        )


class DecisionWire(Outgoing):
    """A person's latest decision on exactly these weights."""

    decision: Verdict
    by: str
    at: MomentOut
    comment: str

    @classmethod
    def of(cls, fact: ReviewFact) -> DecisionWire:
        """The decision itself."""
        return cls(decision=Verdict(fact.deed.value), by=fact.actor, at=fact.at, comment=fact.comment)


class PolicyWire(PolicyContent):
    """A policy, how far it has come, and what was decided on it.

    Of a scenario's defaults, on which nobody decides, `state`, `author` and `requirement` are null.
    """

    state: PolicyState | None
    author: str | None = Field(description="Who edited it, or submitted its goal.")
    requirement: RequirementWire | None = Field(
        description="What activating it now would take; null if it doesn't fit its scenario any more."
    )
    decisions: list[DecisionWire]
    activations: list[ActivationSummary]

    @classmethod
    def undecided(cls, policy: RewardPolicy) -> PolicyWire:
        """A scenario's defaults."""
        return cls(**content_of(policy), **_UNDECIDED)

    @classmethod
    def judged(cls, standing: Standing, required: Requirement | None, now: datetime) -> PolicyWire:
        """A policy as it stands now."""
        return cls(
            **content_of(standing.policy),
            state=state_of(standing, now),
            author=standing.author,
            requirement=RequirementWire.of(required, standing) if required else None,
            decisions=[DecisionWire.of(f) for f in standing.decisions],
            activations=[ActivationSummary.of(a, now) for a in standing.activations],
        )
