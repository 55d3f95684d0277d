"""What every write leaves beside its rows."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, Table

from reward_llm.store.tables.columns import document, metadata, moment, sequence, text

audit: Final = Table(
    "audit",
    metadata,
    sequence(),
    moment("at"),
    text("actor"),
    text("action"),
    text("subject"),
    document("details"),
    Index("audit_by_subject", "subject"),
    sqlite_autoincrement=True,
)

idempotency: Final = Table(
    "idempotency",
    metadata,
    text("key", primary_key=True),
    text("request_hash"),
    text("action"),
    text("subject"),
    moment("created_at"),
)
