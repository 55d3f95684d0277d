"""Leading by an advisory lock of a PostgreSQL database, on a connection of its own.

The server lets go of the lock when the connection ends, so a process that is killed has lost it at once. One whose
machine or network is gone has lost it once the server finds the connection dead, which its keepalives do; the process
itself finds that out by asking every `beat_s`. A pooler between the two must keep sessions apart: PgBouncer in its
transaction mode doesn't.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final

import asyncpg

from reward_llm.domain.ports.leader import Leadership
from reward_llm.errors import StoreUnavailable
from reward_llm.store.postgresql import Connect

LEADER_LOCK: Final = int.from_bytes(b"leaderLM")
"""The key of the advisory lock; such locks are a database's own."""
_BEAT_S: Final = 2.0
_KEEPALIVES: Final = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
"""The server gives up a connection that nothing came from for 25 s."""
_TROUBLES: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


class SessionLock:
    """A `reward_llm.domain.ports.leader.LeaderLock` in a PostgreSQL database.

    Args:
        connect: Makes a connection of the database.
        beat_s: How often the connection is asked whether it is still there, and how long it may take to answer.
    """

    def __init__(self, connect: Connect, *, beat_s: float = _BEAT_S) -> None:
        self._connect = connect
        self._beat_s = beat_s

    @property
    def name(self) -> str:
        """What the lock is called."""
        return "advisory lock"

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[Leadership | None]:
        """Lead while the block runs, or give None at once if somebody else does."""
        with _translated():
            connection = await self._connect()
        try:
            with _translated():
                for name, value in _KEEPALIVES.items():
                    await connection.execute("SELECT set_config($1, $2, false)", name, value)
                locked = await connection.fetchval("SELECT pg_try_advisory_lock($1)", LEADER_LOCK)
            yield _Held(connection, self._beat_s) if locked else None
        finally:
            connection.terminate()


class _Held:
    def __init__(self, connection: Any, beat_s: float) -> None:
        self._connection = connection
        self._beat_s = beat_s
        self._gone = asyncio.Event()
        connection.add_termination_listener(lambda _: self._gone.set())

    async def lost(self) -> None:
        """Wait until the connection has ended, or doesn't answer."""
        while not self._gone.is_set() and await self._answers():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._beat_s):
                    await self._gone.wait()

    async def _answers(self) -> bool:
        try:
            await self._connection.execute("SELECT 1", timeout=self._beat_s)
        except _TROUBLES:
            return False
        return True


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _TROUBLES as exc:
        raise StoreUnavailable(f"the database can't say who leads: {exc}") from exc
