"""The store on SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from reward_llm.domain.act import Act
from reward_llm.domain.goal import Goal, GoalState
from reward_llm.domain.interpretation import Decision
from reward_llm.domain.policy import Proposal, RewardPolicy, Source
from reward_llm.domain.ports import AuditRecord, GoalRecord, IdempotencyClaim, Page
from reward_llm.domain.scenario import Scope
from reward_llm.domain.weights import Weights
from reward_llm.store import codec, queries, schedules
from reward_llm.store.database import Database, Repository
from reward_llm.store.ledger import Action, claimed, remember
from reward_llm.store.pages import check_limit, page
from reward_llm.store.tables import audit, goals, policies, proposals
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried
from reward_llm.store.writing import Writing


class SqlStore(Repository):
    """A `reward_llm.domain.ports.Store` in a SQL database."""

    @classmethod
    def open(cls, url: str) -> SqlStore:
        """The store in the database that a URL names.

        Raises:
            ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
        """
        return cls(Database.open(url))

    @to_the_end
    @retried
    async def record_goal(
        self, goal: Goal, claim: IdempotencyClaim | None = None, act: Act | None = None
    ) -> GoalRecord:
        """Put a goal on record as `received`, or give the one that the claim's key stands for already."""
        action = Action.GOAL_RECEIVED
        submitted = act or Act(actor=goal.submitted_by, at=goal.submitted_at)
        async with self._database.writing(submitted) as writing:
            if known := await claimed(writing.connection, claim, action):
                return await queries.goal_record(writing.connection, known)
            await writing.insert(goals, codec.goal_values(goal))
            await writing.put_on_record(action, goal.id, chain=goal.scope.scenario)
            await remember(writing.connection, claim, action, goal.id, writing.at)
        return GoalRecord(goal=goal, state=GoalState.RECEIVED)

    @to_the_end
    @retried
    async def record_refusal(self, act: Act, action: str, details: Mapping[str, Any]) -> None:
        """Put on record that something was sent and refused; what was refused has no name, so no subject."""
        async with self._database.writing(act) as writing:
            await writing.put_on_record(action, "", details=details)

    @to_the_end
    @retried
    async def record_proposal(self, goal_id: str, proposal: Proposal, at: datetime) -> GoalRecord:
        """Settle a goal; a proposal of new weights makes the scope's next policy version."""
        async with self._database.writing(Act(actor=proposal.source.value, at=at)) as writing:
            record = await queries.goal_record(writing.connection, goal_id)
            if record.state is not GoalState.RECEIVED:
                return record
            settled = await _settled(writing, record.goal, proposal)
            await _write_settled(writing, settled, proposal)
        return settled

    @to_the_end
    @retried
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
        """Make weights that no goal was read for the scope's next policy version."""
        action = Action.POLICY_EDITED
        async with self._database.writing(act) as writing:
            if known := await claimed(writing.connection, claim, action):
                return await queries.policy(writing.connection, known)
            if guard is not None:
                guard(await queries.newest_policy(writing.connection, scope))
            made_of = origin or f"edit by {act.actor}"
            policy = await _new_policy(writing, scope, weights, source, made_of, act.actor)
            await writing.put_on_record(action, policy.policy_id, chain=scope.scenario)
            await remember(writing.connection, claim, action, policy.policy_id, writing.at)
        return policy

    @to_the_end
    @retried
    async def edit_of(self, claim: IdempotencyClaim) -> RewardPolicy | None:
        """The policy that the claim's key stands for already, None if the key is new."""
        async with self._database.reading() as connection:
            known = await claimed(connection, claim, Action.POLICY_EDITED)
            return await queries.policy(connection, known) if known else None

    @to_the_end
    @retried
    async def goal(self, goal_id: str) -> GoalRecord:
        """One goal."""
        async with self._database.reading() as connection:
            return await queries.goal_record(connection, goal_id)

    @to_the_end
    @retried
    async def goals(
        self,
        *,
        scenario: str | None = None,
        scenarios: Collection[str] | None = None,
        state: GoalState | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[GoalRecord]:
        """Goals, newest first."""
        query, order = queries.GOAL_RECORDS, goals.c.sequence
        if scenario is not None:
            query = query.where(goals.c.scenario == scenario)
        if scenarios is not None:
            query = query.where(goals.c.scenario.in_(scenarios))
        if state is not None:
            query = query.where(goals.c.state == state.value)
        async with self._database.reading() as connection:
            return await page(connection, query, order, codec.goal_record, cursor=cursor, limit=limit)

    @to_the_end
    @retried
    async def policy(self, policy_id: str) -> RewardPolicy:
        """One policy."""
        async with self._database.reading() as connection:
            return await queries.policy(connection, policy_id)

    @to_the_end
    @retried
    async def policies(
        self,
        *,
        scope: Scope | None = None,
        scenario: str | None = None,
        scenarios: Collection[str] | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[RewardPolicy]:
        """Policies, newest first."""
        query, order = select(policies), policies.c.sequence
        if scope is not None:
            query = query.where(queries.in_scope(scope))
        if scenario is not None:
            query = query.where(policies.c.scenario == scenario)
        if scenarios is not None:
            query = query.where(policies.c.scenario.in_(scenarios))
        async with self._database.reading() as connection:
            return await page(connection, query, order, codec.policy, cursor=cursor, limit=limit)

    @to_the_end
    @retried
    async def audit(self, *, subject: str | None = None, limit: int = 50) -> Sequence[AuditRecord]:
        """Audit records, newest first."""
        check_limit(limit)
        query = select(audit).order_by(audit.c.sequence.desc()).limit(limit)
        if subject is not None:
            query = query.where(audit.c.subject == subject)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [codec.audit_record(row) for row in rows]

    async def ping(self) -> None:
        """Do nothing, if the database answers and has its tables."""
        await self._database.ping()

    async def aclose(self) -> None:
        """Finish what was begun, and give back the connections."""
        await self._database.aclose()


async def _settled(writing: Writing, goal: Goal, proposal: Proposal) -> GoalRecord:
    if proposal.interpretation.decision is Decision.NO_CHANGE:
        frozen = await schedules.freezes_over(writing.connection, goal.scope)
        active = None if frozen else await schedules.active_policy(writing.connection, goal.scope, writing.at)
        return GoalRecord(goal=goal, state=GoalState.NO_CHANGE, proposal=proposal, policy=active)
    policy = await _new_policy(writing, goal.scope, proposal.weights, proposal.source, goal.id, goal.submitted_by)
    return GoalRecord(goal=goal, state=GoalState.PROPOSED, proposal=proposal, policy=policy)


async def _write_settled(writing: Writing, record: GoalRecord, proposal: Proposal) -> None:
    """Write the proposal and the goal's new state; on record, the proposal's source is who acted."""
    goal_id, policy = record.goal.id, record.policy
    settled = {"goal_id": goal_id, "policy_id": policy.policy_id if policy else None, "settled_at": writing.at}
    await writing.insert(proposals, codec.proposal_values(proposal) | settled)
    await writing.update(goals, goal_id, {"state": record.state.value})
    action = Action.GOAL_NO_CHANGE if record.state is GoalState.NO_CHANGE else Action.GOAL_PROPOSED
    await writing.put_on_record(action, goal_id, chain=record.goal.scope.scenario)


async def _new_policy(
    writing: Writing, scope: Scope, weights: Weights, source: Source, origin: str, author: str
) -> RewardPolicy:
    policy = RewardPolicy(
        scope=scope,
        version=await queries.next_version(writing.connection, scope),
        weights=weights,
        source=source,
        origin=origin,
        created_at=writing.at,
    )
    await writing.insert(policies, codec.policy_values(policy, author))
    return policy
