"""The audit log on SQLAlchemy."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.audit import AuditRecord, Checkpoint, Link, LogHead
from reward_llm.domain.audit_flaws import Flaw, FlawKind, Unreadable, Verification
from reward_llm.domain.audit_verification import Verifier
from reward_llm.domain.ports import AuditQuery, Page
from reward_llm.errors import AuditBroken, AuditRecordUnknown
from reward_llm.store import codec
from reward_llm.store.database import Repository
from reward_llm.store.pages import page
from reward_llm.store.state import state_document
from reward_llm.store.tables import audit
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried

_AT_ONCE: Final = 200
"""Records that are in memory at a time."""
_MAX_SEQUENCE: Final = 2**63 - 1


class SqlAuditLog(Repository):
    """A `reward_llm.domain.ports.AuditLog` in a SQL database."""

    @to_the_end
    @retried
    async def records(self, query: AuditQuery, *, cursor: str | None = None, limit: int = 50) -> Page[AuditRecord]:
        """The records that fit, newest first."""
        async with self._database.reading() as connection:
            with _readable():
                return await page(
                    connection, _fitting(query), audit.c.sequence, codec.audit_record, cursor=cursor, limit=limit
                )

    @to_the_end
    @retried
    async def record(self, sequence: int) -> AuditRecord:
        """One record."""
        known = min(sequence, _MAX_SEQUENCE)
        async with self._database.reading() as connection:
            with _readable():
                result = await connection.execute(select(audit).where(audit.c.sequence == known))
                row = result.mappings().one_or_none()
        if row is None:
            raise AuditRecordUnknown(f"no audit record {sequence}")
        return codec.audit_record(row)

    @to_the_end
    @retried
    async def stretch(self, first: int, last: int) -> Sequence[AuditRecord]:
        """The records from `first` to `last`, oldest first, or as many of them as are given at once."""
        query = _oldest_first().where(audit.c.sequence >= first).where(audit.c.sequence <= last)
        async with self._database.reading() as connection:
            with _readable():
                rows = (await connection.execute(query)).mappings().all()
        return [codec.audit_record(row) for row in rows]

    @to_the_end
    @retried
    async def head(self) -> LogHead:
        """Where the log ends."""
        async with self._database.reading() as connection:
            return await _head(connection)

    @to_the_end
    @retried
    async def verification(self, checkpoints: Sequence[Checkpoint] = ()) -> Verification:
        """Walk the whole log, and compare what it replays to with what the store holds."""
        verifier = Verifier(checkpoints)
        async with self._database.reading() as connection:
            await _walk(connection, verifier, None)
            if verifier.flaw is not None:
                return verifier.finish()
            try:
                state = await state_document(connection)
            except (ValueError, TypeError) as exc:
                unreadable = Flaw(kind=FlawKind.STATE_DIFFERS, message=f"the store's tables can't be read: {exc}")
                return replace(verifier.finish(), flaw=unreadable)
        return await asyncio.to_thread(verifier.finish, state=state)

    @to_the_end
    @retried
    async def verification_since(self, start: LogHead) -> Verification:
        """Walk the log from where it was known to end, if it still has what was there."""
        verifier = Verifier(start=start)
        async with self._database.reading() as connection:
            if start.sequence and await _hash_of(connection, start.sequence) != start.hash:
                message = f"record {start.sequence} isn't there any more as it was signed"
                flaw = Flaw(kind=FlawKind.NOT_AS_SIGNED, sequence=start.sequence, message=message)
                return replace(verifier.finish(), flaw=flaw)
            await _walk(connection, verifier, start.sequence or None)
        return verifier.finish()


@contextmanager
def _readable() -> Iterator[None]:
    """Tell what breaks the types of the columns as what it is."""
    try:
        yield
    except (ValueError, TypeError) as exc:
        raise AuditBroken(f"an audit record can't be read: {exc}", hint="Run `reward-llm audit verify`.") from exc


async def _hash_of(connection: AsyncConnection, sequence: int) -> str | None:
    found: str | None = await connection.scalar(select(audit.c.hash).where(audit.c.sequence == sequence))
    return found


async def _walk(connection: AsyncConnection, verifier: Verifier, after: int | None) -> None:
    """Show the verifier the records that follow, up to its first flaw."""
    while verifier.flaw is None and (some := await _following(connection, after, _AT_ONCE)):
        await asyncio.to_thread(_show, verifier, some)
        after = verifier.next_sequence - 1


def _show(verifier: Verifier, records: Sequence[AuditRecord | Unreadable]) -> None:
    for record in records:
        verifier.take(record)


async def _following(
    connection: AsyncConnection, after: int | None, at_once: int
) -> Sequence[AuditRecord | Unreadable]:
    """The next records; what breaks the types of its columns is unreadable."""
    query = _oldest_first(at_once)
    if after is not None:
        query = query.where(audit.c.sequence > after)
    try:
        rows = (await connection.execute(query)).mappings().all()
        return [codec.audit_record(row) for row in rows]
    except (ValueError, TypeError) as exc:
        if at_once == 1:
            return [Unreadable(str(exc))]
        return await _following(connection, after, 1)


def _oldest_first(limit: int = _AT_ONCE) -> Select[Any]:
    return select(audit).order_by(audit.c.sequence).limit(limit)


def _fitting(query: AuditQuery) -> Select[Any]:
    column, fitting = audit.c, select(audit)
    for name in ("subject", "actor", "request_id"):
        if (value := getattr(query, name)) is not None:
            fitting = fitting.where(column[name] == value)
    if query.chains is not None:
        fitting = fitting.where(column.chain.in_(query.chains))
    if query.action is not None:
        fitting = fitting.where(column.action.startswith(query.action, autoescape=True))
    if query.since is not None:
        fitting = fitting.where(column.at >= query.since)
    if query.until is not None:
        fitting = fitting.where(column.at < query.until)
    return fitting


async def _head(connection: AsyncConnection) -> LogHead:
    column = audit.c
    ends = select(column.chain, func.max(column.position).label("position")).group_by(column.chain).subquery()
    of_chains = select(column.chain, column.position, column.hash).join(
        ends, (ends.c.chain == column.chain) & (ends.c.position == column.position)
    )
    chains = {row.chain: Link(row.position, row.hash) for row in await connection.execute(of_chains)}
    last = (await connection.execute(_oldest_first(1).order_by(None).order_by(column.sequence.desc()))).one_or_none()
    return LogHead(sequence=last.sequence, hash=last.hash, chains=chains) if last else LogHead()
