"""Goals, what they were read as, and the policies and activations that came of them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, Table, UniqueConstraint

from reward_llm.store.tables.columns import document, metadata, moment, sequence, text

goals: Final = Table(
    "goals",
    metadata,
    sequence(),
    text("id"),
    text("scenario"),
    text("segment"),
    text("text"),
    document("targets"),
    moment("valid_from", nullable=True),
    moment("valid_until", nullable=True),
    moment("submitted_at"),
    text("submitted_by"),
    text("state"),
    UniqueConstraint("id", name="goals_id"),
    Index("goals_by_scenario", "scenario"),
    Index("goals_by_state", "state"),
    sqlite_autoincrement=True,
    info={"key": "id"},
)

policies: Final = Table(
    "policies",
    metadata,
    sequence(),
    text("id"),
    text("content_hash"),
    text("scenario"),
    text("segment"),
    Column("version", Integer, nullable=False),
    document("weights"),
    text("source"),
    text("origin"),
    text("author"),
    moment("created_at"),
    UniqueConstraint("id", name="policies_id"),
    UniqueConstraint("scenario", "segment", "version", name="policies_version"),
    sqlite_autoincrement=True,
    info={"key": "id"},
)

proposals: Final = Table(
    "proposals",
    metadata,
    text("goal_id", ForeignKey("goals.id"), primary_key=True),
    document("interpretation"),
    document("numbers"),
    document("dates"),
    document("weights"),
    text("source"),
    document("reason", nullable=True),  # as JSON, because it may quote any character of a model's answer
    document("provenance"),
    document("review", nullable=True),
    text("policy_id", ForeignKey("policies.id"), nullable=True),
    moment("settled_at"),
)

activations: Final = Table(
    "activations",
    metadata,
    sequence(),
    text("policy_id", ForeignKey("policies.id")),
    moment("valid_from", nullable=True),
    moment("valid_until", nullable=True),
    moment("activated_at"),
    text("activated_by"),
    Column("percent", Float, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("changed", BigInteger, nullable=False),  # counts the changes of activations and freezes together
    moment("ended_at", nullable=True),
    text("ended_by", nullable=True),
    text("ending", nullable=True),
    text("scenario"),  # this and what follows is worked out from the policy and the times, to be searched by
    text("segment"),
    moment("starts_at"),
    moment("ends_at", nullable=True),
    Index("activations_by_policy", "policy_id"),
    Index("activations_by_change", "changed"),
    Index("activations_by_end", "scenario", "segment", "ends_at", "starts_at"),
    sqlite_autoincrement=True,
)
