"""The tables; those of `STATE` hold what the service knows, and the audit log says how they came to it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Table

from reward_llm.store.tables.access import token_uses, tokens
from reward_llm.store.tables.audit import audit, idempotency
from reward_llm.store.tables.columns import metadata
from reward_llm.store.tables.goals import activations, goals, policies, proposals
from reward_llm.store.tables.governance import freezes, reviews
from reward_llm.store.tables.loop import loop_entries, loop_records
from reward_llm.store.tables.prompts import prompt_label_moves, prompt_labels, prompt_overrides, prompt_versions
from reward_llm.store.tables.sessions import sessions
from reward_llm.store.tables.webhooks import webhook_attempts, webhook_deliveries, webhooks

STATE: Final[tuple[Table, ...]] = (
    goals,
    policies,
    proposals,
    activations,
    reviews,
    freezes,
    webhooks,
    prompt_versions,
    prompt_labels,
    prompt_label_moves,
    prompt_overrides,
    tokens,
    loop_records,
)
"""In the order of their foreign keys."""

__all__ = [
    "STATE",
    "activations",
    "audit",
    "freezes",
    "goals",
    "idempotency",
    "loop_entries",
    "loop_records",
    "metadata",
    "policies",
    "prompt_label_moves",
    "prompt_labels",
    "prompt_overrides",
    "prompt_versions",
    "proposals",
    "reviews",
    "sessions",
    "token_uses",
    "tokens",
    "webhook_attempts",
    "webhook_deliveries",
    "webhooks",
]
