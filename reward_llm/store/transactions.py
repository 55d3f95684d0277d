"""Transactions, and how often one that was interrupted is begun again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from reward_llm.errors import StoreUnavailable
from reward_llm.store.failures import connection_was_lost, translated, was_rolled_back

P = ParamSpec("P")
T = TypeVar("T")

_PAUSES_S: Final = (0.05, 0.2, 0.8)
"""The longest pause before each further try."""
_CHANCES = random.SystemRandom()
_UNKNOWN: Final = (
    "Look whether it was written before you send it again; the same Idempotency-Key makes a repetition harmless."
)


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction that only reads, and sees one state of the database."""
    async with engine.begin() as connection:
        yield connection


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction, which is committed at the end and rolled back after an error.

    Raises:
        StoreUnavailable: If the commit wasn't acknowledged, because then nobody knows whether it was made.
    """
    async with engine.connect() as connection, connection.begin() as begun:
        yield connection
        try:
            await begun.commit()
        except (DBAPIError, OSError) as exc:
            if connection_was_lost(exc) or isinstance(exc, TimeoutError):
                raise StoreUnavailable("the commit wasn't acknowledged", hint=_UNKNOWN) from exc
            raise


def retried(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Begin the method's one transaction again if it was rolled back through no fault of its own.

    That is after a deadlock, a serialization failure, or a connection that was lost before the commit. The pauses
    are random, so that those who met once don't meet again.

    Raises:
        StoreUnavailable: If the database can't be read or written, or the last try was interrupted as well.
        InvalidInput: If a value is one that no column can hold.
    """

    @wraps(method)
    async def tried(*args: P.args, **kwargs: P.kwargs) -> T:
        with translated():
            for longest_s in _PAUSES_S:
                try:
                    return await method(*args, **kwargs)
                except (DBAPIError, OSError) as exc:
                    if not (was_rolled_back(exc) or connection_was_lost(exc)):
                        raise
                await asyncio.sleep(_CHANCES.uniform(0, longest_s))
            return await method(*args, **kwargs)

    return tried
