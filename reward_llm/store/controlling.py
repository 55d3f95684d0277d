"""A controller's moves, each checked in its own transaction against what people granted."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.act import Act
from reward_llm.domain.activation import PLANNED, Activation
from reward_llm.domain.activation_changes import ended
from reward_llm.domain.admission import Admission
from reward_llm.domain.control import Controller, ControllerState
from reward_llm.domain.control_documents import controller_of, reading_document
from reward_llm.domain.control_grant import check_covered, is_granted
from reward_llm.domain.goal import Window
from reward_llm.domain.loop import LoopKind, LoopRecord
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.ports.control import Move
from reward_llm.domain.source import Source
from reward_llm.errors import ControllerNotReady, MoveNotGranted, PolicyUnknown
from reward_llm.store import admitting, codec, queries, schedules
from reward_llm.store.activation_rows import insert_activation, update_activation
from reward_llm.store.database import Repository
from reward_llm.store.ledger import Action
from reward_llm.store.loop import record_in
from reward_llm.store.state import plain
from reward_llm.store.tables import loop_entries, policies
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried
from reward_llm.store.writing import Writing

_WHY: Final = ("setpoint", "measured", "output", "events")
"""What the audit log is told of a reading."""


class SqlMoves(Repository):
    """A `reward_llm.domain.ports.control.Moves` in a SQL database."""

    @to_the_end
    @retried
    async def move(self, move: Move, act: Act, admission: Admission) -> RewardPolicy:
        """Make the weights the scope's next policy, put it into force, and end the move before."""
        async with self._database.writing(act) as writing:
            record = await record_in(writing.connection, LoopKind.CONTROLLER, move.controller_id)
            controller = controller_of(record.document)
            await _check_turn(writing.connection, record, move)
            await admitting.not_frozen(writing, record.scope)
            now = await schedules.now_in(writing.connection, record.scope, act.at)
            winning = await schedules.winning(writing.connection, record.scope, now)
            before = _check_over(winning, record, move)
            await _check_grant(writing.connection, record, controller, move, admission)
            policy = await _policy(writing, record, move)
            admission.check(policy, before.policy)
            await _put_into_force(writing, policy, before, replace_it=before.policy_id != controller.base.policy_id)
            await _note(writing.connection, policy, move, act)
        return policy


async def _check_turn(connection: AsyncConnection, record: LoopRecord, move: Move) -> None:
    if record.state != ControllerState.RUNNING:
        raise ControllerNotReady(f"{record.id} is {record.state}", hint="Only a running controller moves a weight.")
    column = loop_entries.c
    last = await connection.scalar(select(func.max(column.number)).where(column.record_id == record.id))
    if (last or 0) != move.after:
        raise ControllerNotReady(f"{record.id} has looked again since", hint="Somebody else runs it as well.")


def _check_over(winning: Activation | None, record: LoopRecord, move: Move) -> Activation:
    if winning is None or winning.policy_id != move.over or winning.partial:
        holds = winning.policy_id if winning else "nothing that was activated"
        raise MoveNotGranted(
            f"{holds} holds in {record.scope}, not {move.over} for everybody",
            hint="A controller gives way to whatever people put into force.",
        )
    return winning


async def _check_grant(
    connection: AsyncConnection, record: LoopRecord, controller: Controller, move: Move, admission: Admission
) -> None:
    if not is_granted(controller, record.created_by):
        raise MoveNotGranted(f"{record.id} lacks approvals")
    check_covered(controller, move.weights, admission.scenario)
    try:
        base = await queries.policy(connection, controller.base.policy_id)
    except PolicyUnknown as exc:
        raise MoveNotGranted(f"the base of {record.id} is gone") from exc
    if base.content_hash != controller.base.content_hash:
        raise MoveNotGranted(f"the base of {record.id} isn't what was granted")
    over = await queries.policy(connection, move.over)
    if over != base and (over.source, over.origin) != (Source.CONTROLLER, record.id):
        raise MoveNotGranted(f"{move.over} is neither the base nor a move of {record.id}")


async def _policy(writing: Writing, record: LoopRecord, move: Move) -> RewardPolicy:
    policy = RewardPolicy(
        scope=record.scope,
        version=await queries.next_version(writing.connection, record.scope),
        weights=move.weights,
        source=Source.CONTROLLER,
        origin=record.id,
        created_at=writing.at,
    )
    await writing.insert(policies, codec.policy_values(policy, writing.act.actor))
    reading = reading_document(move.reading)
    await writing.put_on_record(
        Action.POLICY_EDITED,
        policy.policy_id,
        chain=record.scope.scenario,
        details={"controller": record.id, "reading": {k: reading[k] for k in _WHY}},
    )
    return policy


async def _put_into_force(writing: Writing, policy: RewardPolicy, before: Activation, *, replace_it: bool) -> None:
    """Activate the policy for as long as the one before would have held; a move before it is over with that."""
    planned = Activation(
        sequence=PLANNED,
        policy=policy,
        window=Window(valid_until=before.window.valid_until),
        activated_at=await schedules.now_in(writing.connection, policy.scope, writing.at),
        activated_by=writing.act.actor,
    )
    activation = await insert_activation(writing, planned)
    chain = policy.scope.scenario
    await writing.put_on_record(
        Action.POLICY_ACTIVATED, policy.policy_id, chain=chain, details={"activation": activation.sequence}
    )
    if replace_it:
        await update_activation(writing, ended(before, None, replace(writing.act, at=activation.start)))
        await writing.put_on_record(
            Action.ACTIVATION_ENDED, before.policy_id, chain=chain, details={"activation": before.sequence}
        )


async def _note(connection: AsyncConnection, policy: RewardPolicy, move: Move, act: Act) -> None:
    reading = replace(move.reading, policy_id=policy.policy_id)
    row = {
        "record_id": move.controller_id,
        "number": move.after + 1,
        "at": act.at,
        "document": plain(reading_document(reading)),
    }
    await connection.execute(insert(loop_entries).values(row))
