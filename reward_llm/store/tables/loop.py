"""Experiments, controllers and studies. What they gather is bookkeeping, not state: it is observed, not decided."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, UniqueConstraint

from reward_llm.store.tables.columns import document, metadata, moment, sequence, text

loop_records: Final = Table(
    "loop_records",
    metadata,
    sequence(),
    text("id"),
    text("kind"),
    text("scenario"),
    text("segment"),
    text("state"),
    document("document"),
    Column("revision", Integer, nullable=False),
    moment("created_at"),
    text("created_by"),
    moment("changed_at"),
    UniqueConstraint("id", name="loop_records_id"),
    Index("loop_records_by_state", "kind", "state"),
    sqlite_autoincrement=True,
    info={"key": "id"},
)

loop_entries: Final = Table(
    "loop_entries",
    metadata,
    text("record_id", ForeignKey("loop_records.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    moment("at"),
    document("document"),
)
