"""Which schema a database has and which is the newest, without the machinery that changes it."""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

from sqlalchemy import Connection, column, inspect, select, table

from reward_llm.store.engine import reading_engine
from reward_llm.store.transactions import retried, snapshot

_VERSIONS: Final = "reward_llm.store.migrations.versions"
_FILE: Final = re.compile(r"r(\d{4})_\w+\.py")
_TABLE: Final = "alembic_version"


def packaged_revision() -> str:
    """The schema that this version of the program works with: what `newest_revision` finds out as well."""
    names = (_FILE.fullmatch(file.name) for file in resources.files(_VERSIONS).iterdir())
    return max(name[1] for name in names if name)


@retried
async def stored_revision(url: str) -> str | None:
    """The schema that the database has, None if it has none: what `revision` finds out as well.

    Raises:
        ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
        StoreUnavailable: If the database can't be read.
    """
    engine = reading_engine(url)
    try:
        async with snapshot(engine) as connection:
            return await connection.run_sync(_read)
    finally:
        await engine.dispose()


def _read(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_TABLE):
        return None
    found: str | None = connection.execute(select(column("version_num")).select_from(table(_TABLE))).scalar()
    return found
