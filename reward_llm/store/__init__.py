"""What is remembered: goals, proposals, policies, activations and the audit log, in a SQL database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from reward_llm.store.migrate import downgrade, newest_revision, revision, upgrade
    from reward_llm.store.sql_store import SqlStore

__all__ = ["SqlStore", "downgrade", "newest_revision", "revision", "upgrade"]

_HOMES: Final = {"SqlStore": "sql_store"} | dict.fromkeys(__all__[1:], "migrate")


def __getattr__(name: str) -> Any:
    """Load what is asked for: who only reads what is served needs neither migrations nor the stores that write."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - see above

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
