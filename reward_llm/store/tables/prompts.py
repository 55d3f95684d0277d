"""Versions of prompts, the labels that stand on them, and who moved or overrode what."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, UniqueConstraint

from reward_llm.store.tables.columns import document, metadata, moment, sequence, text

prompt_versions: Final = Table(
    "prompt_versions",
    metadata,
    sequence(),
    text("id"),
    text("name"),
    Column("number", Integer, nullable=False),
    text("content_hash"),
    document("content"),
    text("author"),
    text("reason"),
    Column("packaged", Boolean, nullable=False),
    moment("created_at"),
    UniqueConstraint("id", name="prompt_versions_id"),
    UniqueConstraint("name", "number", name="prompt_versions_number"),
    UniqueConstraint("name", "content_hash", name="prompt_versions_content"),
    sqlite_autoincrement=True,
    info={"key": "id"},
)

prompt_labels: Final = Table(
    "prompt_labels",
    metadata,
    text("id", primary_key=True),
    text("name"),
    text("label"),
    text("version_id", ForeignKey("prompt_versions.id")),
    Column("revision", Integer, nullable=False),
    text("moved_by"),
    moment("moved_at"),
    UniqueConstraint("name", "label", name="prompt_labels_name"),
)

prompt_label_moves: Final = Table(
    "prompt_label_moves",
    metadata,
    sequence(),
    text("label_id", ForeignKey("prompt_labels.id")),
    Column("revision", Integer, nullable=False),
    Column("from_number", Integer, nullable=True),
    Column("to_number", Integer, nullable=False),
    text("reason"),
    document("evidence", nullable=True),
    document("overridden_by"),
    text("moved_by"),
    moment("moved_at"),
    UniqueConstraint("label_id", "revision", name="prompt_label_moves_revision"),
    sqlite_autoincrement=True,
)

prompt_overrides: Final = Table(
    "prompt_overrides",
    metadata,
    sequence(),
    text("version_id", ForeignKey("prompt_versions.id")),
    text("label"),
    text("content_hash"),
    text("given_by"),
    text("reason"),
    moment("given_at"),
    UniqueConstraint("version_id", "label", "given_by", name="prompt_overrides_once"),
    sqlite_autoincrement=True,
)
