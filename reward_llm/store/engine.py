"""Which database a URL names, and the engines that the store opens on it: one that writes and one that reads."""

from __future__ import annotations

from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine

from reward_llm.errors import ConfigurationInvalid
from reward_llm.store import postgresql, sqlite

_EXAMPLE: Final = (
    "Name a SQLite file, such as sqlite:///var/reward_llm.db, or a PostgreSQL database, such as "
    "postgresql://user@host/reward_llm."
)


def reading_engine(url: str) -> AsyncEngine:
    """An engine whose transactions see one state of the database and can't change it.

    Raises:
        ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
    """
    parsed = _parsed(url)
    return postgresql.reading_engine(parsed) if _is_postgresql(parsed) else sqlite.reading_engine(parsed)


def writing_engine(url: str) -> AsyncEngine:
    """An engine of one connection, whose transactions are the database's only writer from their start.

    Raises:
        ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
    """
    parsed = _parsed(url)
    return postgresql.writing_engine(parsed) if _is_postgresql(parsed) else sqlite.writing_engine(parsed)


def migrating_engine(url: str) -> AsyncEngine:
    """As `writing_engine`, for work that may take long.

    Raises:
        ConfigurationInvalid: If the URL names neither a SQLite file nor a PostgreSQL database.
    """
    parsed = _parsed(url)
    return postgresql.migrating_engine(parsed) if _is_postgresql(parsed) else sqlite.writing_engine(parsed)


def _is_postgresql(url: URL) -> bool:
    return url.drivername in postgresql.DRIVERS


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationInvalid("the database URL can't be parsed", hint=_EXAMPLE) from None
    if parsed.drivername not in sqlite.DRIVERS | postgresql.DRIVERS:
        raise ConfigurationInvalid(f"no store for {parsed.drivername!r} databases", hint=_EXAMPLE)
    return parsed
