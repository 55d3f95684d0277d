"""Experiments, controllers and studies, on SQLAlchemy."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import RowMapping, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.act import Act
from reward_llm.domain.loop import LoopEntry, LoopKind, LoopRecord
from reward_llm.domain.loop_rules import ALONE
from reward_llm.domain.ports import IdempotencyClaim, Page
from reward_llm.domain.scenario import Scope
from reward_llm.errors import (
    ControllerNotReady,
    Difference,
    InvalidInput,
    LoopRecordUnknown,
    PreconditionFailed,
)
from reward_llm.store import schedules
from reward_llm.store.database import Repository
from reward_llm.store.ledger import Action, claimed, remember
from reward_llm.store.pages import page
from reward_llm.store.state import plain
from reward_llm.store.tables import loop_entries, loop_records
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried
from reward_llm.store.writing import Writing

MAX_ENTRIES: Final = 1_000
"""How many entries are read at once."""
_PREFIX: Final = {
    LoopKind.EXPERIMENT: "exp",
    LoopKind.CONTROLLER: "ctl",
    LoopKind.STUDY: "std",
    LoopKind.MEMORY: "mem",
}
_CREATED: Final = {
    LoopKind.EXPERIMENT: Action.EXPERIMENT_CREATED,
    LoopKind.CONTROLLER: Action.CONTROLLER_CREATED,
    LoopKind.STUDY: Action.STUDY_CREATED,
    LoopKind.MEMORY: Action.MEMORY_CREATED,
}


class SqlLoop(Repository):
    """A `reward_llm.domain.ports.loop.LoopStore` in a SQL database."""

    @to_the_end
    @retried
    async def create(
        self,
        kind: LoopKind,
        scope: Scope,
        state: str,
        document: Mapping[str, Any],
        act: Act,
        claim: IdempotencyClaim | None = None,
        record_id: str | None = None,
        over: str | None = None,
    ) -> LoopRecord:
        """Add a record, or give the one that the claim's key or the id stands for already."""
        action = _CREATED[kind]
        async with self._database.writing(act) as writing:
            if known := await claimed(writing.connection, claim, action):
                return await record_in(writing.connection, kind, known)
            if record_id and await _is_known(writing.connection, record_id):
                return await record_in(writing.connection, kind, record_id)
            await _check_alone(writing.connection, kind, scope, state)
            await _check_over(writing, scope, over)
            values = {
                "id": record_id or f"{_PREFIX[kind]}_{uuid.uuid4().hex[:20]}",
                "kind": kind.value,
                "scenario": scope.scenario,
                "segment": scope.segment or "",
                "state": state,
                "document": plain(document),
                "revision": 1,
                "created_at": act.at,
                "created_by": act.actor,
                "changed_at": act.at,
            }
            made = _decoded(await writing.insert(loop_records, values))
            await writing.put_on_record(action, made.id, chain=scope.scenario)
            await remember(writing.connection, claim, action, made.id, act.at)
        return made

    @to_the_end
    @retried
    async def change(
        self,
        before: LoopRecord,
        action: str,
        act: Act,
        *,
        state: str,
        document: Mapping[str, Any],
        claim: IdempotencyClaim | None = None,
        over: str | None = None,
    ) -> LoopRecord:
        """Give a record a state and a document, if nobody has changed it since it was `before`."""
        done = f"{before.kind.value}.{action}"
        async with self._database.writing(act) as writing:
            if known := await claimed(writing.connection, claim, done):
                return await record_in(writing.connection, before.kind, known)
            now = await to_be_changed(writing.connection, before, state)
            await _check_over(writing, now.scope, over)
            return await changed(writing, now, done, state, document, claim)

    @to_the_end
    @retried
    async def leave(
        self, before: LoopRecord, action: str, act: Act, claim: IdempotencyClaim | None = None
    ) -> LoopRecord:
        """Leave a record as it is, and let the claim's key stand for that."""
        done = f"{before.kind.value}.{action}"
        async with self._database.writing(act) as writing:
            if known := await claimed(writing.connection, claim, done):
                return await record_in(writing.connection, before.kind, known)
            now = await to_be_changed(writing.connection, before, before.state)
            await remember(writing.connection, claim, done, now.id, act.at)
        return now

    @to_the_end
    @retried
    async def made_by(
        self, kind: LoopKind, claim: IdempotencyClaim | None, action: str = "created"
    ) -> LoopRecord | None:
        """The record to which the claim's key had this done already, None if the key is new or there is none."""
        if claim is None:
            return None
        async with self._database.reading() as connection:
            known = await claimed(connection, claim, f"{kind.value}.{action}")
            return await record_in(connection, kind, known) if known else None

    @to_the_end
    @retried
    async def record(self, kind: LoopKind, record_id: str) -> LoopRecord:
        """One record."""
        async with self._database.reading() as connection:
            return await record_in(connection, kind, record_id)

    @to_the_end
    @retried
    async def records(
        self,
        kind: LoopKind,
        *,
        scenarios: Collection[str] | None = None,
        states: Collection[str] | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[LoopRecord]:
        """Records of a kind, newest first."""
        column = loop_records.c
        query = select(loop_records).where(column.kind == kind.value)
        if scenarios is not None:
            query = query.where(column.scenario.in_(scenarios))
        if states is not None:
            query = query.where(column.state.in_(states))
        async with self._database.reading() as connection:
            return await page(connection, query, column.sequence, _decoded, cursor=cursor, limit=limit)

    @to_the_end
    @retried
    async def gather(
        self,
        record_id: str,
        documents: Sequence[Mapping[str, Any]],
        act: Act,
        *,
        revision: int | None = None,
        after: int | None = None,
    ) -> None:
        """Add entries to a record."""
        if not documents:
            return
        async with self._database.writing(act) as writing:
            connection = writing.connection
            found = await connection.scalar(select(loop_records.c.revision).where(loop_records.c.id == record_id))
            if found is None:
                raise LoopRecordUnknown(f"there is no record {record_id!r}")
            _check_same(record_id, "revision", revision, found)
            column = loop_entries.c
            last = await connection.scalar(select(func.max(column.number)).where(column.record_id == record_id))
            _check_same(record_id, "last entry", after, last or 0)
            rows = [
                {"record_id": record_id, "number": number, "at": act.at, "document": plain(document)}
                for number, document in enumerate(documents, start=(last or 0) + 1)
            ]
            await connection.execute(insert(loop_entries), rows)

    @to_the_end
    @retried
    async def entries(self, record_id: str, *, after: int = 0, limit: int = MAX_ENTRIES) -> Sequence[LoopEntry]:
        """The entries after a number, oldest first."""
        _check_limit(limit)
        column = loop_entries.c
        query = select(loop_entries).where(column.record_id == record_id, column.number > after)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query.order_by(column.number).limit(limit))).mappings().all()
        return [_entry(row) for row in rows]

    @to_the_end
    @retried
    async def last_entries(self, record_id: str, limit: int = 1) -> Sequence[LoopEntry]:
        """The newest entries, oldest of them first."""
        _check_limit(limit)
        column = loop_entries.c
        query = select(loop_entries).where(column.record_id == record_id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query.order_by(column.number.desc()).limit(limit))).mappings().all()
        return [_entry(row) for row in reversed(rows)]


async def record_in(connection: AsyncConnection, kind: LoopKind, record_id: str) -> LoopRecord:
    """One record, within a transaction.

    Raises:
        LoopRecordUnknown: If there is none of the kind with this id.
    """
    column = loop_records.c
    query = select(loop_records).where(column.id == record_id, column.kind == kind.value)
    row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        raise LoopRecordUnknown(f"there is no {kind.value} {record_id!r}")
    return _decoded(row)


async def to_be_changed(connection: AsyncConnection, before: LoopRecord, state: str) -> LoopRecord:
    """A record that is to come into a state, within the transaction that changes it.

    Raises:
        LoopRecordUnknown: If there is none.
        PreconditionFailed: If somebody has changed it since it was `before`.
        Conflict: If another record has its scope.
    """
    now = await record_in(connection, before.kind, before.id)
    if now.revision != before.revision:
        raise PreconditionFailed(
            f"{now.id} has the revision {now.revision}, not {before.revision}",
            hint="Look how it stands now, and change it from there if you still want to.",
            current={"state": now.state, "revision": now.revision},
            differences=[Difference(path="/revision", yours=before.revision, current=now.revision)],
        )
    await _check_alone(connection, now.kind, now.scope, state, now)
    return now


async def changed(
    writing: Writing,
    now: LoopRecord,
    done: str,
    state: str,
    document: Mapping[str, Any],
    claim: IdempotencyClaim | None,
) -> LoopRecord:
    """Write a record's state and document, and put that on record as `done`; gives it as it is then."""
    values = {
        "state": state,
        "document": plain(document),
        "revision": now.revision + 1,
        "changed_at": writing.at,
    }
    await writing.update(loop_records, now.id, values)
    await writing.put_on_record(done, now.id, chain=now.scope.scenario)
    await remember(writing.connection, claim, done, now.id, writing.at)
    return await record_in(writing.connection, now.kind, now.id)


async def _check_alone(
    connection: AsyncConnection, kind: LoopKind, scope: Scope, state: str, before: LoopRecord | None = None
) -> None:
    """Accept a record that comes into a state, if it needn't be alone in its scope or is."""
    rule = ALONE.get(kind)
    if rule is None or not rule.applies(before.state if before else None, state):
        return
    column = loop_records.c
    holders = select(loop_records).where(
        column.kind == kind.value, column.scenario == scope.scenario, column.state.in_(rule.holding)
    )
    if before is not None:
        holders = holders.where(column.id != before.id)
    rows = (await connection.execute(holders.order_by(column.sequence))).mappings()
    rule.check(scope, map(_decoded, rows))


async def _check_over(writing: Writing, scope: Scope, policy_id: str | None) -> None:
    """Accept a policy that holds in exactly the scope for everybody; None is for what doesn't ask for any."""
    if policy_id is None:
        return
    now = await schedules.now_in(writing.connection, scope, writing.at)
    winning = await schedules.winning(writing.connection, scope, now)
    if winning is None or winning.policy_id != policy_id or winning.partial:
        holds = f"{winning.policy_id} holds" if winning else "nothing holds"
        for_some = " for a part of the units" if winning and winning.partial else ""
        raise ControllerNotReady(
            f"{holds} in {scope}{for_some} by now, not {policy_id}", hint="Look at the scope again."
        )


def _check_same(record_id: str, what: str, known: int | None, now: int) -> None:
    """Accept what the caller knows of a record, if that is still so; None is for who needn't know."""
    if known is not None and known != now:
        raise PreconditionFailed(
            f"the {what} of {record_id} is {now}, not {known}", hint="Somebody else works on it as well."
        )


async def _is_known(connection: AsyncConnection, record_id: str) -> bool:
    found = await connection.scalar(select(loop_records.c.id).where(loop_records.c.id == record_id))
    return found is not None


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MAX_ENTRIES:
        raise InvalidInput(f"limit is {limit}; it must be 1 to {MAX_ENTRIES}")


def _decoded(row: RowMapping) -> LoopRecord:
    return LoopRecord(
        id=row["id"],
        kind=LoopKind(row["kind"]),
        scope=Scope(row["scenario"], row["segment"] or None),
        state=row["state"],
        document=row["document"],
        revision=row["revision"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        changed_at=row["changed_at"],
    )


def _entry(row: RowMapping) -> LoopEntry:
    return LoopEntry(number=row["number"], at=row["at"], document=row["document"])
