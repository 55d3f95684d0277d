"""The database's schema, step by step.

Every run is one transaction that keeps other writers out, so several processes may upgrade at once: one does the
work, and the others wait for it and find nothing left to do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from reward_llm.domain.act import MIGRATOR, Act
from reward_llm.store.engine import migrating_engine, reading_engine
from reward_llm.store.migration_record import change_on_record
from reward_llm.store.transactions import retried, transaction

T = TypeVar("T")

_MIGRATIONS: Final = "reward_llm.store:migrations"


async def upgrade(url: str) -> None:
    """Bring the database to the newest schema; a file that isn't there yet is made.

    Raises:
        ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
        StoreUnavailable: If the database can't be written.
    """
    await _run(migrating_engine(url), _recorded("store.upgraded", lambda c: command.upgrade(_config(c), "head")))


async def downgrade(url: str, target: str) -> None:
    """Take the database back to an older schema ("base" is none), losing what that has no place for.

    Raises:
        ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
        StoreUnavailable: If the database can't be written.
    """
    await _run(migrating_engine(url), _recorded("store.downgraded", lambda c: command.downgrade(_config(c), target)))


async def revision(url: str) -> str | None:
    """The schema that the database has, None if it has none.

    Raises:
        ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
        StoreUnavailable: If the database can't be read.
    """
    return await _run(reading_engine(url), lambda c: c.run_sync(_current))


def newest_revision() -> str | None:
    """The schema that this version of the program works with."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", _MIGRATIONS)
    return config


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _recorded(action: str, migrate: Callable[[Connection], None]) -> Callable[[AsyncConnection], Awaitable[None]]:
    async def work(connection: AsyncConnection) -> None:
        act = Act(actor=MIGRATOR, at=datetime.now(UTC))
        async with change_on_record(connection, act, action):
            await connection.run_sync(migrate)

    return work


async def _run(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    @retried
    async def run() -> T:
        async with transaction(engine) as connection:
            return await work(connection)

    try:
        return await run()
    finally:
        await engine.dispose()
