"""Who is told of what is put on record, and what is still to be sent to them.

`webhooks` is state. Deliveries and their attempts are bookkeeping: they change as often as something is sent, and no
audit record says so.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, UniqueConstraint

from reward_llm.store.tables.columns import document, metadata, moment, sequence, text

_SECRET: Final = {"secret": True}

webhooks: Final = Table(
    "webhooks",
    metadata,
    sequence(),
    text("id"),
    text("url"),
    text("description"),
    document("actions"),
    text("scenario", nullable=True),
    Column("active", Boolean, nullable=False),
    text("secret", info=_SECRET),
    text("previous_secret", nullable=True, info=_SECRET),
    moment("previous_until", nullable=True),
    Column("revision", Integer, nullable=False),
    moment("created_at"),
    text("created_by"),
    moment("changed_at"),
    UniqueConstraint("id", name="webhooks_id"),
    sqlite_autoincrement=True,
    info={"key": "id"},
)

webhook_deliveries: Final = Table(
    "webhook_deliveries",
    metadata,
    sequence(),
    text("id"),
    text("webhook_id", ForeignKey("webhooks.id")),
    text("event_id"),
    text("action"),
    text("body"),  # as it is signed and sent, byte for byte, at every try
    text("state"),
    Column("tries", Integer, nullable=False),
    moment("due_at"),
    text("leased_by", nullable=True),
    moment("leased_until", nullable=True),
    moment("created_at"),
    moment("settled_at", nullable=True),
    UniqueConstraint("id", name="webhook_deliveries_id"),
    Index("webhook_deliveries_by_webhook", "webhook_id", "sequence"),
    Index("webhook_deliveries_by_due", "state", "due_at"),
    sqlite_autoincrement=True,
)

webhook_attempts: Final = Table(
    "webhook_attempts",
    metadata,
    sequence(),
    text("delivery_id", ForeignKey("webhook_deliveries.id")),
    text("webhook_id", ForeignKey("webhooks.id")),
    moment("at"),
    Column("delivered", Boolean, nullable=False),
    Column("status", Integer, nullable=True),
    Column("duration_ms", Integer, nullable=False),
    text("error"),
    Index("webhook_attempts_by_delivery", "delivery_id"),
    Index("webhook_attempts_by_webhook", "webhook_id", "delivered", "sequence"),
    sqlite_autoincrement=True,
)
