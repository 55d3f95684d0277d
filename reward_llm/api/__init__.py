"""The HTTP interface."""

from __future__ import annotations

from reward_llm.api.app import create_app
from reward_llm.api.services import ApiConfig, Services

__all__ = ["ApiConfig", "Services", "create_app"]
