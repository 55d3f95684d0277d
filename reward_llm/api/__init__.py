"""The HTTP interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from reward_llm.api.app import create_app
    from reward_llm.api.config import ApiConfig
    from reward_llm.api.services import Services

__all__ = ["ApiConfig", "Services", "create_app"]

_HOMES: Final = {"ApiConfig": "config", "Services": "services", "create_app": "app"}


def __getattr__(name: str) -> Any:
    """Load what is asked for: who only looks weights up needs little of the interface."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - see above

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
