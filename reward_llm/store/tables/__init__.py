"""The tables; those of `STATE` hold what the service knows, and the audit log says how they came to it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Table

from reward_llm.store.tables.audit import audit, idempotency
from reward_llm.store.tables.columns import metadata
from reward_llm.store.tables.goals import activations, goals, policies, proposals
from reward_llm.store.tables.sessions import sessions
from reward_llm.store.tables.prompts import prompt_label_moves, prompt_labels, prompt_overrides, prompt_versions
from reward_llm.store.tables.webhooks import webhook_attempts, webhook_deliveries, webhooks

STATE: Final[tuple[Table, ...]] = (goals, policies, proposals, activations, webhooks)
"""In the order of their foreign keys."""

__all__ = [
    "STATE",
    "activations",
    "audit",
    "goals",
    "idempotency",
    "metadata",
    "policies",
    "proposals",
    "sessions",
    "webhook_attempts",
    "webhook_deliveries",
    "webhooks",
]
