"""The database's schema, step by step.

Every run is one transaction that keeps other writers out, so several processes may upgrade at once: one does the
work, and the others wait for it and find nothing left to do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from reward_llm.store.engine import migrating_engine, reading_engine
from reward_llm.store.transactions import retried, transaction

T = TypeVar("T")

_MIGRATIONS: Final = "reward_llm.store:migrations"


async def upgrade(url: str) -> None:
    """Bring the database to the newest schema; a file that isn't there yet is made.

    Raises:
        ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
        StoreUnavailable: If the database can't be written.
    """
    await _run(migrating_engine(url), lambda connection: command.upgrade(_config(connection), "head"))


async def downgrade(url: str, target: str) -> None:
    """Take the database back to an older schema ("base" is none), losing what that has no place for.

    Raises:
        ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
        StoreUnavailable: If the database can't be written.
    """
    await _run(migrating_engine(url), lambda connection: command.downgrade(_config(connection), target))


async def revision(url: str) -> str | None:
    """The schema that the database has, None if it has none.

    Raises:
        ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
        StoreUnavailable: If the database can't be read.
    """
    return await _run(reading_engine(url), lambda c: MigrationContext.configure(c).get_current_revision())


def newest_revision() -> str | None:
    """The schema that this version of the program works with."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", _MIGRATIONS)
    return config


async def _run(engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
    @retried
    async def run() -> T:
        async with transaction(engine) as connection:
            return await connection.run_sync(work)

    try:
        return await run()
    finally:
        await engine.dispose()
