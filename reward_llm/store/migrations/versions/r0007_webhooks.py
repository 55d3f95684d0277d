"""Webhooks, with what is still to be sent to them and what came of it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
    _create_webhooks()
    _create_deliveries()
    _create_attempts()


def downgrade() -> None:
    """Drop the tables with all that is in them."""
    for table in ("webhook_attempts", "webhook_deliveries", "webhooks"):
        op.drop_table(table)


def _create_webhooks() -> None:
    op.create_table(
        "webhooks",
        _sequence(),
        _text("id"),
        _text("url"),
        _text("description"),
        sa.Column("actions", sa.JSON, nullable=False),
        _text("scenario", nullable=True),
        sa.Column("active", sa.Boolean, nullable=False),
        _text("secret"),
        _text("previous_secret", nullable=True),
        _moment("previous_until", nullable=True),
        sa.Column("revision", sa.Integer, nullable=False),
        _moment("created_at"),
        _text("created_by"),
        _moment("changed_at"),
        sa.UniqueConstraint("id", name="webhooks_id"),
        sqlite_autoincrement=True,
    )


def _create_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        _sequence(),
        _text("id"),
        _text("webhook_id", sa.ForeignKey("webhooks.id")),
        _text("event_id"),
        _text("action"),
        _text("body"),
        _text("state"),
        sa.Column("tries", sa.Integer, nullable=False),
        _moment("due_at"),
        _text("leased_by", nullable=True),
        _moment("leased_until", nullable=True),
        _moment("created_at"),
        _moment("settled_at", nullable=True),
        sa.UniqueConstraint("id", name="webhook_deliveries_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("webhook_deliveries_by_webhook", "webhook_deliveries", ["webhook_id", "sequence"])
    op.create_index("webhook_deliveries_by_due", "webhook_deliveries", ["state", "due_at"])


def _create_attempts() -> None:
    op.create_table(
        "webhook_attempts",
        _sequence(),
        _text("delivery_id", sa.ForeignKey("webhook_deliveries.id")),
        _text("webhook_id", sa.ForeignKey("webhooks.id")),
        _moment("at"),
        sa.Column("delivered", sa.Boolean, nullable=False),
        sa.Column("status", sa.Integer, nullable=True),
        sa.Column("duration_ms", sa.Integer, nullable=False),
        _text("error"),
        sqlite_autoincrement=True,
    )
    op.create_index("webhook_attempts_by_delivery", "webhook_attempts", ["delivery_id"])
    op.create_index("webhook_attempts_by_webhook", "webhook_attempts", ["webhook_id", "delivered", "sequence"])


def _sequence() -> sa.Column[int]:
    integer = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("sequence", integer, primary_key=True, autoincrement=True)


def _text(name: str, *constraints: sa.ForeignKey, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *constraints, **{"nullable": False, **options})


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
