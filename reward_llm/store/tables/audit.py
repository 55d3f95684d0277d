"""What every write leaves beside its rows."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Table

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
    text("chain"),
    Column("position", BigInteger, nullable=False),
    text("reason"),
    text("address"),
    text("request_id"),
    document("patch"),
    text("previous_hash"),
    text("preceding_hash"),
    text("hash"),
    Index("audit_by_subject", "subject"),
    Index("audit_by_request", "request_id"),
    Index("audit_position", "chain", "position", unique=True),
    Index("audit_previous_hash", "chain", "previous_hash", unique=True),
    Index("audit_preceding_hash", "preceding_hash", unique=True),
    Index("audit_hash", "hash", unique=True),
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
