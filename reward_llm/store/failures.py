"""What the database's errors mean to a caller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from reward_llm.errors import InvalidInput, StoreUnavailable

_UPGRADE: Final = "Run `reward-llm db upgrade`."
_RETRY: Final = "Another process holds the lock; try again."
_RESTORE: Final = "Restore the file from a backup."
_HINTS: Final = {
    "FULL": "The disk is full; free some space.",
    "READONLY": "The database is read-only; make the file and its folder writable.",
    "PERM": "Make the file and its folder readable and writable.",
    "CANTOPEN": "Check that the folder is there and that the file can be read and written.",
    "IOERR": "The disk doesn't answer as it should; check it and the space that is left.",
    "BUSY": _RETRY,
    "LOCKED": _RETRY,
    "PROTOCOL": _RETRY,
    "CORRUPT": _RESTORE,
    "NOTADB": _RESTORE,
}
"""By SQLite's primary result code (https://sqlite.org/rescode.html)."""


@contextmanager
def translated() -> Iterator[None]:
    """Give the database's troubles as StoreUnavailable, and leave errors of the code as they are.

    Raises:
        StoreUnavailable: If the database can't be read or written now.
        InvalidInput: If a value is one that no column can hold.
    """
    try:
        yield
    except PoolTimeout as exc:
        raise StoreUnavailable("all database connections are busy", hint="Try again.") from exc
    except DBAPIError as exc:
        failure = _failure(exc)
        if failure is None:
            raise
        raise failure from exc
    except StatementError as exc:
        if isinstance(exc.orig, InvalidInput):
            raise exc.orig from None
        raise


def _failure(error: DBAPIError) -> StoreUnavailable | None:
    """The trouble that a driver's error tells of, or None if the statement itself was wrong."""
    message = f"the database can't be used: {error.orig}"
    name: str = getattr(error.orig, "sqlite_errorname", "")
    if not name:
        return StoreUnavailable(message) if isinstance(error, OperationalError) else None
    if name == "SQLITE_ERROR" and str(error.orig).startswith(("no such table", "no such column")):
        return StoreUnavailable(message, hint=_UPGRADE)
    hint = _HINTS.get(name.split("_")[1])
    return StoreUnavailable(message, hint=hint) if hint else None
