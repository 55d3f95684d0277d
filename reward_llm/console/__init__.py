"""Pages on which people do the work of the service; a client of the HTTP interface."""

from __future__ import annotations

from reward_llm.console.app import create_console
from reward_llm.console.config import ConsoleConfig

__all__ = ["ConsoleConfig", "create_console"]
