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
_FULL: Final = "The disk is full; free some space."
_DISK: Final = "The disk doesn't answer as it should; check it and the space that is left."
_RESTORE: Final = "Restore the database from a backup."
_REACH: Final = "Check that the database server runs and that it can be reached from here."
_ACCOUNT: Final = "Check the user and the password in REWARD_LLM_DATABASE_URL, and whom the server lets in."
_SQLITE_HINTS: Final = {
    "FULL": _FULL,
    "READONLY": "The database is read-only; make the file and its folder writable.",
    "PERM": "Make the file and its folder readable and writable.",
    "CANTOPEN": "Check that the folder is there and that the file can be read and written.",
    "IOERR": _DISK,
    "BUSY": _RETRY,
    "LOCKED": _RETRY,
    "PROTOCOL": _RETRY,
    "CORRUPT": _RESTORE,
    "NOTADB": _RESTORE,
}
"""By SQLite's primary result code (https://sqlite.org/rescode.html)."""
_POSTGRESQL_HINTS: Final = {
    "08": _REACH,
    "25006": "The server takes no writes; name the primary, or add target_session_attrs=read-write to the URL.",
    "25P03": "This process was too slow in a transaction, and the server ended it; try again.",
    "28": _ACCOUNT,
    "3D000": "Create the database first: `createdb NAME`.",
    "40001": _RETRY,
    "40P01": _RETRY,
    "42501": "Let the user read and write the tables, and for `reward-llm db upgrade` make them.",
    "42703": _UPGRADE,
    "42P01": _UPGRADE,
    "53100": _FULL,
    "53300": "The server has no connection left; raise its max_connections, or start fewer processes.",
    "53": "The server is short of resources; look into its log.",
    "55P03": _RETRY,
    "57014": "The server took longer than `statement_timeout`; try again, or look what it is busy with.",
    "57P": _REACH,
    "58": _DISK,
    "XX001": _RESTORE,
    "XX002": _RESTORE,
}
"""By the start of SQLSTATE; longer ones count first (https://www.postgresql.org/docs/15/errcodes-appendix.html)."""
_ROLLED_BACK: Final = frozenset({"40001", "40P01"})
_ENDED_BY_THE_SERVER: Final = ("08", "57P01", "57P02", "57P05")


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
    except TimeoutError as exc:
        raise StoreUnavailable("the database doesn't answer in time", hint=_REACH) from exc
    except OSError as exc:
        raise StoreUnavailable(f"the database can't be used: {exc}", hint=_REACH) from exc


def was_rolled_back(error: Exception) -> bool:
    """Whether the server undid a transaction that was in another's way."""
    return _sqlstate(error) in _ROLLED_BACK


def connection_was_lost(error: Exception) -> bool:
    """Whether the connection is gone; what was committed before stays, and nothing else."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _sqlstate(error).startswith(_ENDED_BY_THE_SERVER)
    return isinstance(error, ConnectionError)


def _failure(error: DBAPIError) -> StoreUnavailable | None:
    """The trouble that a driver's error tells of, or None if the statement itself was wrong."""
    if sqlstate := _sqlstate(error):
        return _postgresql_failure(error, sqlstate)
    message = f"the database can't be used: {error.orig}"
    name: str = getattr(error.orig, "sqlite_errorname", "")
    if not name:
        lost = isinstance(error, OperationalError) or connection_was_lost(error)
        return StoreUnavailable(message) if lost else None
    if name == "SQLITE_ERROR" and str(error.orig).startswith(("no such table", "no such column")):
        return StoreUnavailable(message, hint=_UPGRADE)
    hint = _SQLITE_HINTS.get(name.split("_")[1])
    return StoreUnavailable(message, hint=hint) if hint else None


def _postgresql_failure(error: DBAPIError, sqlstate: str) -> StoreUnavailable | None:
    starts = (sqlstate[:length] for length in (5, 3, 2))
    hint = next((_POSTGRESQL_HINTS[start] for start in starts if start in _POSTGRESQL_HINTS), None)
    if hint is None and error.statement is not None:
        return None
    return StoreUnavailable(f"the database can't be used: {error.driver_exception}", hint=hint)


def _sqlstate(error: Exception) -> str:
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""
