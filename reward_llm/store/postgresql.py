"""How a PostgreSQL database is opened, so that it keeps what SQLite's single writer gives.

Every writing transaction takes one advisory lock when it starts and holds it to its end, so a database has one
writer at a time, however many processes there are. That is coarser than row locks or SERIALIZABLE, on purpose:

- versions without gaps or repeats, one subject an idempotency key, and goals that are settled once all follow from
  reading before writing, as on SQLite, with no failure that a caller would have to expect;
- activations and audit records become visible in the order of their sequence. With several writers the larger of
  two sequences may be committed first, and whoever asks for "all since the last one" never sees the smaller.

Writers run in READ COMMITTED, because a stricter transaction would keep the state from before it waited for the
lock. People's decisions are few, so nobody waits long. Readers take no lock; their transactions are read-only and
see one state of the database (REPEATABLE READ).

When a commit is acknowledged, it is as safe as the server's `synchronous_commit` says: by default on its disk.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal

import asyncpg
from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from reward_llm.errors import ConfigurationInvalid

Connect = Callable[[], Awaitable[Any]]
"""Makes an asyncpg connection."""

WRITER_LOCK: Final = int.from_bytes(b"rewardLM")
"""The key of the advisory lock; such locks are a database's own."""

_READERS: Final = 4
_CONNECT_S: Final = 5.0
"""How long a new connection may take; the URL's `connect_timeout` replaces it."""
_ANSWER_S: Final = 20.0
"""When a server that doesn't answer is given up; over its own time limits, so that those come first."""
_POOL_S: Final = 30.0
"""How long a caller queues for a connection of this process."""
_LIMITS: Final = {
    "lock_timeout": "5s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "30s",
}
"""The server's own time limits; parameters of the same name in the URL replace them. The last one frees the lock of
a process that hangs or whose machine is gone."""
_MIGRATION_LIMITS: Final = {"lock_timeout": "60s"}
"""An upgrade may wait for another process's, and may have long tables to rewrite."""

_WRONG_PARAMETER: Final = (
    asyncpg.UndefinedObjectError,
    asyncpg.InvalidParameterValueError,
    asyncpg.CantChangeRuntimeParamError,
)
_PARAMETERS: Final = "Its parameters are libpq's, such as sslmode=require, or settings of the server."


def reading_engine(url: URL) -> AsyncEngine:
    """An engine whose transactions see one state of the database and can't change it.

    Raises:
        ConfigurationInvalid: If the URL can't be used.
    """
    engine = _engine(url, "REPEATABLE READ", connections=_READERS)
    return engine.execution_options(postgresql_readonly=True)


def writing_engine(url: URL) -> AsyncEngine:
    """An engine of one connection, whose transactions hold the writer's lock from their start.

    Raises:
        ConfigurationInvalid: If the URL can't be used.
    """
    return _locking(_engine(url, "READ COMMITTED", connections=1))


def migrating_engine(url: URL) -> AsyncEngine:
    """As `writing_engine`, with more patience.

    Raises:
        ConfigurationInvalid: If the URL can't be used.
    """
    return _locking(_engine(url, "READ COMMITTED", connections=1, limits=_MIGRATION_LIMITS, answer_s=None))


def listener(url: URL) -> Connect:
    """What makes connections that listen to the database; they belong to no engine.

    Raises:
        ConfigurationInvalid: If the URL can't be used.
    """
    return _connector(url, _LIMITS, _ANSWER_S)


def _engine(
    url: URL,
    isolation_level: Literal["READ COMMITTED", "REPEATABLE READ"],
    *,
    connections: int,
    limits: Mapping[str, str] = _LIMITS,
    answer_s: float | None = _ANSWER_S,
) -> AsyncEngine:
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=_connector(url, limits, answer_s),
        isolation_level=isolation_level,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_POOL_S,
        pool_pre_ping=True,
    )


def _connector(url: URL, limits: Mapping[str, str], answer_s: float | None) -> Connect:
    """What makes connections; asyncpg reads the URL itself, because it knows all that libpq's URLs may say."""
    query = dict(url.query)
    connect_s = _seconds(query.pop("connect_timeout", _CONNECT_S))
    address = url.set(drivername="postgresql", query=query).render_as_string(hide_password=False)
    settings = {"application_name": "reward-llm", **limits}

    async def connect() -> Any:
        try:
            return await asyncpg.connect(
                address,
                timeout=connect_s,
                command_timeout=answer_s,
                server_settings={k: v for k, v in settings.items() if k not in query},
            )
        except (ValueError, *_WRONG_PARAMETER) as exc:
            raise ConfigurationInvalid(f"the database URL can't be used: {exc}", hint=_PARAMETERS) from None

    return connect


def _seconds(value: object) -> float:
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ConfigurationInvalid("the database URL's connect_timeout is no number of seconds", hint=_PARAMETERS)
    return seconds


def _locking(engine: AsyncEngine) -> AsyncEngine:
    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock($1)", (WRITER_LOCK,))

    return engine
