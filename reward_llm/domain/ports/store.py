"""What is remembered of goals and policies."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from reward_llm.domain.act import Act
from reward_llm.domain.audit import AuditRecord
from reward_llm.domain.goal import Goal, GoalState
from reward_llm.domain.policy import Proposal, RewardPolicy
from reward_llm.domain.ports.records import GoalRecord, IdempotencyClaim, Page
from reward_llm.domain.scenario import Scope
from reward_llm.domain.source import Source
from reward_llm.domain.weights import Weights


class Store(Protocol):
    """What is remembered. Every method is one transaction, and every write leaves an audit record in it.

    All methods raise StoreUnavailable when the database can't be read or written.
    """

    async def record_goal(
        self, goal: Goal, claim: IdempotencyClaim | None = None, act: Act | None = None
    ) -> GoalRecord:
        """Put a goal on record as `received`, or give the one that the claim's key stands for already.

        Without an act, the goal says who submitted it and when.

        Raises:
            IdempotencyConflict: If the key came with another request before.
        """
        ...

    async def record_refusal(self, act: Act, action: str, details: Mapping[str, Any]) -> None:
        """Put on record that something was sent and refused."""
        ...

    async def record_proposal(self, goal_id: str, proposal: Proposal, at: datetime) -> GoalRecord:
        """Settle a goal; a proposal of new weights makes the scope's next policy version.

        A goal that is settled already is given back as it is.

        Raises:
            GoalUnknown: If there is no such goal.
        """
        ...

    async def record_edit(
        self,
        scope: Scope,
        weights: Weights,
        act: Act,
        claim: IdempotencyClaim | None = None,
        guard: Callable[[RewardPolicy | None], None] | None = None,
        source: Source = Source.HUMAN,
        origin: str | None = None,
    ) -> RewardPolicy:
        """Make weights that no goal was read for the scope's next policy version.

        `source` is who made them, and `origin` the id of what they came from, which a person's edit doesn't have.
        `guard` is shown the newest one that there is when it is written, None if there is none, and raises if that
        isn't the one to follow.

        Raises:
            IdempotencyConflict: If the key came with another request before.
        """
        ...

    async def edit_of(self, claim: IdempotencyClaim) -> RewardPolicy | None:
        """The policy that the claim's key stands for already, None if the key is new.

        Raises:
            IdempotencyConflict: If the key came with another request before.
        """
        ...

    async def goal(self, goal_id: str) -> GoalRecord:
        """One goal.

        Raises:
            GoalUnknown: If there is no such goal.
        """
        ...

    async def goals(
        self,
        *,
        scenario: str | None = None,
        scenarios: Collection[str] | None = None,
        state: GoalState | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[GoalRecord]:
        """Goals, newest first; what is None doesn't matter.

        Raises:
            InvalidInput: If the cursor isn't one of ours.
        """
        ...

    async def policy(self, policy_id: str) -> RewardPolicy:
        """One policy.

        Raises:
            PolicyUnknown: If there is no such policy.
        """
        ...

    async def policies(
        self,
        *,
        scope: Scope | None = None,
        scenario: str | None = None,
        scenarios: Collection[str] | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[RewardPolicy]:
        """Policies, newest first; what is None doesn't matter.

        Raises:
            InvalidInput: If the cursor isn't one of ours.
        """
        ...

    async def audit(self, *, subject: str | None = None, limit: int = 50) -> Sequence[AuditRecord]:
        """Audit records, newest first."""
        ...

    async def ping(self) -> None:
        """Do nothing, if the database answers."""
        ...

    async def aclose(self) -> None:
        """Give back the connections."""
        ...
