"""A database as the stores share it: one connection that writes, and others that read.

What writing needs is imported by the first that writes: a process that looks weights up never does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from reward_llm.domain.act import Act
from reward_llm.store.engine import reading_engine, writing_engine
from reward_llm.store.tables import goals
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried, snapshot, transaction

if TYPE_CHECKING:
    from reward_llm.store.writing import Writing


class Database:
    """Nothing connects before the first call."""

    def __init__(self, *, reader: AsyncEngine, writer: AsyncEngine) -> None:
        self._reader = reader
        self._writer = writer
        self.begun: set[asyncio.Task[Any]] = set()

    @classmethod
    def open(cls, url: str) -> Database:
        """The database that a URL names; `upgrade` makes its tables.

        Raises:
            ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
        """
        return cls(reader=reading_engine(url), writer=writing_engine(url))

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection that sees one state of the database and can't change it."""
        return snapshot(self._reader)

    @asynccontextmanager
    async def writing(self, act: Act) -> AsyncIterator[Writing]:
        """A transaction for the act, which nobody else writes beside."""
        from reward_llm.store.writing import Writing

        async with transaction(self._writer) as connection:
            yield Writing(connection, act)

    @to_the_end
    @retried
    async def ping(self) -> None:
        """Do nothing, if the database answers and has its tables."""
        async with self.reading() as connection:
            await connection.execute(select(goals.c.sequence).limit(1))

    async def aclose(self) -> None:
        """Finish what was begun, and give back the connections."""
        if self.begun:
            await asyncio.wait(self.begun)
        await self._reader.dispose()
        await self._writer.dispose()


class Repository:
    """Some of a database's tables, with what may be asked of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def begun(self) -> set[asyncio.Task[Any]]:
        """The work that the database waits for before it closes."""
        return self._database.begun
