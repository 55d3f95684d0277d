"""Which process leads: an advisory lock of a PostgreSQL database, a locked file beside a SQLite file."""

from __future__ import annotations

from sqlalchemy import make_url

from reward_llm.domain.ports.leader import LeaderLock
from reward_llm.store.engine import is_postgresql, listener
from reward_llm.store.sqlite import file_of


def leader_lock(url: str) -> LeaderLock:
    """The lock of the database that a URL names.

    Raises:
        ConfigurationInvalid: If it names neither a SQLite file nor a PostgreSQL database.
    """
    if is_postgresql(url):
        from reward_llm.store.leader_session import SessionLock

        return SessionLock(listener(url))
    from reward_llm.store.leader_file import FileLock

    return FileLock(file_of(make_url(url)))
