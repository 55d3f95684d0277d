"""API tokens, and when each was last used."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ForeignKey, Index, Table, UniqueConstraint

from reward_llm.store.tables.columns import document, metadata, moment, sequence, text

tokens: Final = Table(
    "tokens",
    metadata,
    sequence(),
    text("id"),
    text("name"),
    text("hash", info={"secret": True}),
    document("grants"),
    moment("created_at"),
    text("created_by"),
    moment("expires_at"),
    moment("revoked_at", nullable=True),
    UniqueConstraint("id", name="tokens_id"),
    Index("tokens_by_name", "name"),
    sqlite_autoincrement=True,
    info={"key": "id"},
)

token_uses: Final = Table(
    "token_uses",
    metadata,
    text("token_id", ForeignKey("tokens.id"), primary_key=True),
    moment("last_used_at"),
)
"""No part of the state, because a use changes nothing that anybody would replay."""
