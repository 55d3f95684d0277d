"""API tokens, and when each was last used."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_TABLES: Final = ("token_uses", "tokens")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "tokens",
        _sequence(),
        _text("id"),
        _text("name"),
        _text("hash"),
        sa.Column("grants", sa.JSON, nullable=False),
        _moment("created_at"),
        _text("created_by"),
        _moment("expires_at"),
        _moment("revoked_at", nullable=True),
        sa.UniqueConstraint("id", name="tokens_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("tokens_by_name", "tokens", ["name"])
    op.create_table(
        "token_uses",
        _text("token_id", sa.ForeignKey("tokens.id"), primary_key=True),
        _moment("last_used_at"),
    )


def downgrade() -> None:
    """Drop the tables with all that is in them."""
    for table in _TABLES:
        op.drop_table(table)


def _sequence() -> sa.Column[int]:
    integer = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("sequence", integer, primary_key=True, autoincrement=True)


def _text(name: str, *constraints: sa.ForeignKey, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *constraints, **{"nullable": False, **options})


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
