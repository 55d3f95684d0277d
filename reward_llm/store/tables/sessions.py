"""Who is signed in: bookkeeping, not state, because sessions come and go without anything being decided.

Of a session's secret there is a hash alone, so whoever reads the table can't sign in with it.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, Table, UniqueConstraint

from reward_llm.store.tables.columns import document, metadata, moment, text

sessions: Final = Table(
    "sessions",
    metadata,
    text("id", primary_key=True),
    text("secret_hash", info={"secret": True}),
    text("name"),
    text("issuer"),
    text("subject"),
    document("groups"),
    moment("signed_in_at"),
    moment("expires_at"),
    moment("ended_at", nullable=True),
    UniqueConstraint("secret_hash", name="sessions_secret_hash"),
    Index("sessions_by_expiry", "expires_at"),
)
