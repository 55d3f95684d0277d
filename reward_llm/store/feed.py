"""Changes of what is served, told by the PostgreSQL database itself (LISTEN and NOTIFY).

The notification is part of the transaction that makes the change: it is delivered once that is committed, and never
if it isn't. Channels are a database's own, so other installations on the same server hear nothing.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.ports.feed import BEAT_S
from reward_llm.store import schedules
from reward_llm.store.engine import listener

KIND: Final = "postgresql"
CHANNEL: Final = "reward_llm_changes"
_OWN_BYTES: Final = 8
_NOTIFY: Final = select(func.pg_notify(CHANNEL, bindparam("revision")))
_BEAT: Final = "SELECT pg_notify($1, '')"


async def count_change(connection: AsyncConnection) -> int:
    """The number of the change that the transaction is about to make.

    Those who listen to the database are told once it is committed; of SQLite there is nobody to tell.
    """
    revision = await schedules.next_change(connection)
    if connection.dialect.name == KIND:
        await connection.execute(_NOTIFY, {"revision": str(revision)})
    return revision


class PostgresSource:
    """A `reward_llm.domain.ports.FeedSource` over a connection of its own.

    Args:
        url: Names the database.
        beat_s: How often it notifies itself, in seconds.

    Raises:
        ConfigurationInvalid: If the URL names no PostgreSQL database.
    """

    def __init__(self, url: str, *, beat_s: float = BEAT_S) -> None:
        self._connect = listener(url)
        self._beat_s = beat_s
        self._own_channel = f"reward_llm_beat_{secrets.token_hex(_OWN_BYTES)}"

    @property
    def kind(self) -> str:
        """What it listens to."""
        return KIND

    async def listen(self, on_change: Callable[[], None], on_beat: Callable[[], None]) -> None:
        """Connect and listen until the connection is lost; beats are notifications like those of changes."""
        lost = asyncio.Event()
        connection = await self._connect()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            await connection.add_listener(CHANNEL, lambda *_: on_change())
            await connection.add_listener(self._own_channel, lambda *_: on_beat())
            while not lost.is_set():
                await connection.execute(_BEAT, self._own_channel)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._beat_s):
                        await lost.wait()
        finally:
            connection.terminate()
        raise ConnectionError("the database closed the connection")

    async def announce(self, revision: int) -> None:
        """Nothing is left to tell: the transaction did."""
