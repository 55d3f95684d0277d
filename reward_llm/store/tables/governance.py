"""What was decided on policies, and which scopes are frozen."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table

from reward_llm.store.tables.columns import metadata, moment, sequence, text

reviews: Final = Table(
    "reviews",
    metadata,
    sequence(),
    text("policy_id", ForeignKey("policies.id")),
    text("kind"),
    text("actor"),
    moment("at"),
    text("comment"),
    text("content_hash", nullable=True),
    Column("needed", Integer, nullable=True),
    Column("self_approval", Boolean, nullable=True),
    Index("reviews_by_policy", "policy_id"),
    sqlite_autoincrement=True,
)

freezes: Final = Table(
    "freezes",
    metadata,
    sequence(),
    text("scenario"),
    text("segment"),
    Column("frozen", Boolean, nullable=False),
    moment("at"),
    text("actor"),
    text("reason"),
    Column("changed", BigInteger, nullable=False),
    Index("freezes_by_scope", "scenario", "segment"),
    Index("freezes_by_change", "changed"),
    sqlite_autoincrement=True,
)
