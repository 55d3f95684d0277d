"""The store on SQLAlchemy."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from reward_llm.domain.goal import Goal, GoalState, Window
from reward_llm.domain.interpretation import Decision
from reward_llm.domain.policy import Activation, Proposal, RewardPolicy, Source
from reward_llm.domain.ports import AuditRecord, GoalRecord, IdempotencyClaim, Page
from reward_llm.domain.scenario import Scope
from reward_llm.domain.weights import Weights
from reward_llm.store import codec, queries
from reward_llm.store.engine import reading_engine, writing_engine
from reward_llm.store.ledger import Action, claimed, put_on_record, remember
from reward_llm.store.pages import check_limit, page
from reward_llm.store.tables import activations, audit, goals, policies, proposals
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried, snapshot, transaction


class SqlStore:
    """A `reward_llm.domain.ports.Store` in a SQL database; nothing connects before the first call."""

    def __init__(self, *, reader: AsyncEngine, writer: AsyncEngine) -> None:
        self._reader = reader
        self._writer = writer
        self.begun: set[asyncio.Task[Any]] = set()

    @classmethod
    def open(cls, url: str) -> SqlStore:
        """The store in the database that a URL names; `upgrade` makes its tables.

        Raises:
            ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
        """
        return cls(reader=reading_engine(url), writer=writing_engine(url))

    @to_the_end
    @retried
    async def record_goal(self, goal: Goal, claim: IdempotencyClaim | None = None) -> GoalRecord:
        """Put a goal on record as `received`, or give the one that the claim's key stands for already."""
        action, at = Action.GOAL_RECEIVED, goal.submitted_at
        async with transaction(self._writer) as connection:
            if known := await claimed(connection, claim, action):
                return await queries.goal_record(connection, known)
            values = codec.goal_values(goal)
            await connection.execute(insert(goals).values(values))
            await put_on_record(connection, action, goal.id, at=at, actor=goal.submitted_by, details=values)
            await remember(connection, claim, action, goal.id, at)
        return GoalRecord(goal=goal, state=GoalState.RECEIVED)

    @to_the_end
    @retried
    async def record_refusal(self, *, at: datetime, actor: str, action: str, details: Mapping[str, Any]) -> None:
        """Put on record that something was sent and refused; what was refused has no name, so no subject."""
        async with transaction(self._writer) as connection:
            await put_on_record(connection, action, "", at=at, actor=actor, details=details)

    @to_the_end
    @retried
    async def record_proposal(self, goal_id: str, proposal: Proposal, at: datetime) -> GoalRecord:
        """Settle a goal; a proposal of new weights makes the scope's next policy version."""
        async with transaction(self._writer) as connection:
            record = await queries.goal_record(connection, goal_id)
            if record.state is not GoalState.RECEIVED:
                return record
            settled = await _settled(connection, record.goal, proposal, at)
            await _write_settled(connection, settled, proposal, at)
        return settled

    @to_the_end
    @retried
    async def record_edit(
        self,
        scope: Scope,
        weights: Weights,
        *,
        reason: str,
        actor: str,
        at: datetime,
        claim: IdempotencyClaim | None = None,
    ) -> RewardPolicy:
        """Make a person's weights the scope's next policy version."""
        action = Action.POLICY_EDITED
        async with transaction(self._writer) as connection:
            if known := await claimed(connection, claim, action):
                return await queries.policy(connection, known)
            policy = await _new_policy(connection, scope, weights, Source.HUMAN, f"edit by {actor}", at)
            details = {"reason": reason, **_policy_details(policy)}
            await put_on_record(connection, action, policy.policy_id, at=at, actor=actor, details=details)
            await remember(connection, claim, action, policy.policy_id, at)
        return policy

    @to_the_end
    @retried
    async def edit_of(self, claim: IdempotencyClaim) -> RewardPolicy | None:
        """The policy that the claim's key stands for already, None if the key is new."""
        async with snapshot(self._reader) as connection:
            known = await claimed(connection, claim, Action.POLICY_EDITED)
            return await queries.policy(connection, known) if known else None

    @to_the_end
    @retried
    async def activate(
        self,
        policy_id: str,
        window: Window,
        *,
        actor: str,
        at: datetime,
        claim: IdempotencyClaim | None = None,
    ) -> Activation:
        """Put a policy into force, and with it the goal that it came from."""
        action = Action.POLICY_ACTIVATED
        async with transaction(self._writer) as connection:
            if known := await claimed(connection, claim, action):
                return await queries.activation(connection, int(known))
            policy = await queries.policy(connection, policy_id)
            activation = await _new_activation(connection, policy, window, actor, at)
            await _mark_activated(connection, policy)
            details = {
                "sequence": activation.sequence,
                "valid_from": window.valid_from,
                "valid_until": window.valid_until,
                **_policy_details(policy),
            }
            await put_on_record(connection, action, policy_id, at=at, actor=actor, details=details)
            await remember(connection, claim, action, str(activation.sequence), at)
        return activation

    @to_the_end
    @retried
    async def goal(self, goal_id: str) -> GoalRecord:
        """One goal."""
        async with snapshot(self._reader) as connection:
            return await queries.goal_record(connection, goal_id)

    @to_the_end
    @retried
    async def goals(
        self,
        *,
        scenario: str | None = None,
        state: GoalState | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[GoalRecord]:
        """Goals, newest first."""
        query, order = queries.GOAL_RECORDS, goals.c.sequence
        if scenario is not None:
            query = query.where(goals.c.scenario == scenario)
        if state is not None:
            query = query.where(goals.c.state == state.value)
        async with snapshot(self._reader) as connection:
            return await page(connection, query, order, codec.goal_record, cursor=cursor, limit=limit)

    @to_the_end
    @retried
    async def policy(self, policy_id: str) -> RewardPolicy:
        """One policy."""
        async with snapshot(self._reader) as connection:
            return await queries.policy(connection, policy_id)

    @to_the_end
    @retried
    async def policies(
        self,
        *,
        scope: Scope | None = None,
        scenario: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[RewardPolicy]:
        """Policies, newest first."""
        query, order = select(policies), policies.c.sequence
        if scope is not None:
            query = query.where(queries.in_scope(scope))
        if scenario is not None:
            query = query.where(policies.c.scenario == scenario)
        async with snapshot(self._reader) as connection:
            return await page(connection, query, order, codec.policy, cursor=cursor, limit=limit)

    @to_the_end
    @retried
    async def activations(self, *, since: int = 0) -> Sequence[Activation]:
        """Activations with a sequence over `since`, oldest first."""
        order = activations.c.sequence
        query = queries.ACTIVATIONS.where(order > since).order_by(order)
        async with snapshot(self._reader) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [codec.activation(row) for row in rows]

    @to_the_end
    @retried
    async def audit(self, *, subject: str | None = None, limit: int = 50) -> Sequence[AuditRecord]:
        """Audit records, newest first."""
        check_limit(limit)
        query = select(audit).order_by(audit.c.sequence.desc()).limit(limit)
        if subject is not None:
            query = query.where(audit.c.subject == subject)
        async with snapshot(self._reader) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [codec.audit_record(row) for row in rows]

    @to_the_end
    @retried
    async def ping(self) -> None:
        """Do nothing, if the database answers and has its tables."""
        async with snapshot(self._reader) as connection:
            await connection.execute(select(goals.c.sequence).limit(1))

    async def aclose(self) -> None:
        """Finish what was begun, and give back the connections."""
        if self.begun:
            await asyncio.wait(self.begun)
        await self._reader.dispose()
        await self._writer.dispose()


async def _settled(connection: AsyncConnection, goal: Goal, proposal: Proposal, at: datetime) -> GoalRecord:
    if proposal.interpretation.decision is Decision.NO_CHANGE:
        active = await queries.active_policy(connection, goal.scope, at)
        return GoalRecord(goal=goal, state=GoalState.NO_CHANGE, proposal=proposal, policy=active)
    policy = await _new_policy(connection, goal.scope, proposal.weights, proposal.source, goal.id, at)
    return GoalRecord(goal=goal, state=GoalState.PROPOSED, proposal=proposal, policy=policy)


async def _write_settled(connection: AsyncConnection, record: GoalRecord, proposal: Proposal, at: datetime) -> None:
    """Write the proposal and the goal's new state; on record, the proposal's source is who acted."""
    goal_id, policy = record.goal.id, record.policy
    values = codec.proposal_values(proposal)
    policy_id = policy.policy_id if policy else None
    await connection.execute(insert(proposals).values(goal_id=goal_id, policy_id=policy_id, settled_at=at, **values))
    await connection.execute(update(goals).where(goals.c.id == goal_id).values(state=record.state.value))
    action = Action.GOAL_NO_CHANGE if record.state is GoalState.NO_CHANGE else Action.GOAL_PROPOSED
    details = {**values, **(_policy_details(policy) if policy else {})}
    await put_on_record(connection, action, goal_id, at=at, actor=proposal.source.value, details=details)


async def _new_policy(
    connection: AsyncConnection, scope: Scope, weights: Weights, source: Source, origin: str, at: datetime
) -> RewardPolicy:
    policy = RewardPolicy(
        scope=scope,
        version=await queries.next_version(connection, scope),
        weights=weights,
        source=source,
        origin=origin,
        created_at=at,
    )
    await connection.execute(insert(policies).values(codec.policy_values(policy)))
    return policy


async def _new_activation(
    connection: AsyncConnection, policy: RewardPolicy, window: Window, actor: str, at: datetime
) -> Activation:
    activation = Activation(sequence=0, policy=policy, window=window, activated_at=at, activated_by=actor)
    query = insert(activations).values(codec.activation_values(activation)).returning(activations.c.sequence)
    return replace(activation, sequence=(await connection.execute(query)).scalar_one())


async def _mark_activated(connection: AsyncConnection, policy: RewardPolicy) -> None:
    if policy.source is Source.HUMAN:
        return
    state = GoalState.ACTIVATED.value
    await connection.execute(update(goals).where(goals.c.id == policy.origin).values(state=state))


def _policy_details(policy: RewardPolicy) -> dict[str, Any]:
    return {"policy_id": policy.policy_id, "content_hash": policy.content_hash, "policy": policy.document}
