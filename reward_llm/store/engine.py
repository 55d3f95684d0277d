"""Which database a URL names, and the engines that the store opens on it: one that writes and one that reads.

asyncpg is imported where a database of PostgreSQL's is opened, since a process that looks weights up in a file should
start without it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine

from reward_llm.errors import ConfigurationInvalid
from reward_llm.store import sqlite

if TYPE_CHECKING:
    from reward_llm.store.postgresql import Connect

_POSTGRESQL: Final = frozenset({"postgres", "postgresql", "postgresql+asyncpg"})
_EXAMPLE: Final = (
    "Name a SQLite file, such as sqlite:///var/reward_llm.db, or a PostgreSQL database, such as "
    "postgresql://user@host/reward_llm."
)

_IDENTITY_DIGITS: Final = 16


def reading_engine(url: str) -> AsyncEngine:
    """An engine whose transactions see one state of the database and can't change it.

    Raises:
        ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
    """
    parsed = _parsed(url)
    if not _is_postgresql(parsed):
        return sqlite.reading_engine(parsed)
    from reward_llm.store import postgresql

    return postgresql.reading_engine(parsed)


def writing_engine(url: str) -> AsyncEngine:
    """An engine of one connection, whose transactions are the database's only writer from their start.

    Raises:
        ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
    """
    parsed = _parsed(url)
    if not _is_postgresql(parsed):
        return sqlite.writing_engine(parsed)
    from reward_llm.store import postgresql

    return postgresql.writing_engine(parsed)


def migrating_engine(url: str) -> AsyncEngine:
    """As `writing_engine`, for work that may take long.

    Raises:
        ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
    """
    parsed = _parsed(url)
    if not _is_postgresql(parsed):
        return sqlite.writing_engine(parsed)
    from reward_llm.store import postgresql

    return postgresql.migrating_engine(parsed)


def listener(url: str) -> Connect:
    """What makes connections that listen to a PostgreSQL database.

    Raises:
        ConfigurationInvalid: If the URL names no PostgreSQL database.
    """
    parsed = _parsed(url)
    if not _is_postgresql(parsed):
        raise ConfigurationInvalid("only a PostgreSQL database can be listened to", hint=_EXAMPLE)
    from reward_llm.store import postgresql

    return postgresql.listener(parsed)


def is_postgresql(url: str) -> bool:
    """Whether the URL names a PostgreSQL database.

    Raises:
        ConfigurationInvalid: If it names no database that there is a store for.
    """
    return _is_postgresql(_parsed(url))


def identity(url: str) -> str:
    """What tells a database from others, without who uses it, how, and by which way: a hash.

    A server has many names, so databases of one name on different servers have the same. Who goes by this hears of
    another's changes then, and looks in vain.

    >>> identity("postgresql://ann:s3cret@db.example.org/reward") == identity("postgres://bob@127.0.0.1:6432/reward")
    True
    """
    parsed = _parsed(url)
    if _is_postgresql(parsed):
        place = f"postgresql {parsed.database or parsed.username}"
    else:
        place = f"sqlite {Path(parsed.database or '').resolve()}"
    return hashlib.sha256(place.encode()).hexdigest()[:_IDENTITY_DIGITS]


def _is_postgresql(url: URL) -> bool:
    return url.drivername in _POSTGRESQL


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationInvalid("the database URL can't be parsed", hint=_EXAMPLE) from None
    if parsed.drivername not in sqlite.DRIVERS | _POSTGRESQL:
        raise ConfigurationInvalid(f"no store for {parsed.drivername!r} databases", hint=_EXAMPLE)
    return parsed
