"""How a SQLite file is opened: one connection that writes, a few that read.

SQLite has one writer at a time. The writing engine takes the write lock when a transaction starts (BEGIN
IMMEDIATE), so a transaction that has started can't lose a race, and callers of one process queue for its single
connection instead of polling the lock. Another process's lock is waited for as long as the URL's `timeout` says,
by default the 5 s of the sqlite3 module. In WAL mode readers never wait for a writer.

A commit is on disk before it is acknowledged: `synchronous = FULL` (https://sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from reward_llm.errors import ConfigurationInvalid

DRIVERS: Final = frozenset({"sqlite", "sqlite+aiosqlite"})
_READERS: Final = 4
_TRIES: Final = 100
_PAUSE_S: Final = 0.05


def reading_engine(url: URL) -> AsyncEngine:
    """An engine whose transactions see one state of the file and can't change it.

    Raises:
        ConfigurationInvalid: If the URL names no file.
    """
    return _engine(url, begin="BEGIN", pragmas=("query_only = ON",), connections=_READERS)


def writing_engine(url: URL) -> AsyncEngine:
    """An engine of one connection, whose transactions hold the write lock from their start.

    Raises:
        ConfigurationInvalid: If the URL names no file.
    """
    pragmas = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")
    return _engine(url, begin="BEGIN IMMEDIATE", pragmas=pragmas, connections=1)


def _engine(url: URL, *, begin: str, pragmas: tuple[str, ...], connections: int) -> AsyncEngine:
    engine = create_async_engine(
        _file(url),
        connect_args={"isolation_level": None},  # transactions begin in `on_begin`, nowhere else
        pool_size=connections,
        max_overflow=0,
    )

    @event.listens_for(engine.sync_engine, "do_connect")
    def on_open(_dialect: object, _record: object, arguments: Any, options: Any) -> None:
        """Fail here if the file can't be opened: aiosqlite would leave a thread behind that outlives the loop."""
        sqlite3.connect(*arguments, **options).close()

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            _set(cursor, pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _set(cursor: Any, pragma: str) -> None:
    """Set the pragma, with patience: to change the journal mode SQLite asks for a lock but never waits for one."""
    for _ in range(_TRIES):
        try:
            cursor.execute(f"PRAGMA {pragma}")
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            await_only(asyncio.sleep(_PAUSE_S))
        else:
            return
    cursor.execute(f"PRAGMA {pragma}")


def file_of(url: URL) -> Path:
    """The file that a URL names, where it lies.

    Raises:
        ConfigurationInvalid: If it names none.
    """
    return Path(str(_file(url).database)).resolve()


def _file(url: URL) -> URL:
    database = url.database or ":memory:"
    if ":memory:" in database or url.query.get("mode") == "memory":
        raise ConfigurationInvalid(
            "a database in memory would forget every decision",
            hint="Name a SQLite file, such as sqlite:///var/reward_llm.db.",
        )
    return url.set(drivername="sqlite+aiosqlite")
