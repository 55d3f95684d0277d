"""Versions of prompts, their labels, the moves of these, and consents to overriding an evaluation."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TABLES: Final = ("prompt_overrides", "prompt_label_moves", "prompt_labels", "prompt_versions")


def upgrade() -> None:
    """Make the tables, empty: the prompts that ship are written when one of them first changes."""
    _create_versions()
    _create_labels()
    _create_moves()
    _create_overrides()


def downgrade() -> None:
    """Drop the tables with all that is in them."""
    for table in _TABLES:
        op.drop_table(table)


def _create_versions() -> None:
    op.create_table(
        "prompt_versions",
        _sequence(),
        _text("id"),
        _text("name"),
        sa.Column("number", sa.Integer, nullable=False),
        _text("content_hash"),
        _document("content"),
        _text("author"),
        _text("reason"),
        sa.Column("packaged", sa.Boolean, nullable=False),
        _moment("created_at"),
        sa.UniqueConstraint("id", name="prompt_versions_id"),
        sa.UniqueConstraint("name", "number", name="prompt_versions_number"),
        sa.UniqueConstraint("name", "content_hash", name="prompt_versions_content"),
        sqlite_autoincrement=True,
    )


def _create_labels() -> None:
    op.create_table(
        "prompt_labels",
        _text("id", primary_key=True),
        _text("name"),
        _text("label"),
        _text("version_id", sa.ForeignKey("prompt_versions.id")),
        sa.Column("revision", sa.Integer, nullable=False),
        _text("moved_by"),
        _moment("moved_at"),
        sa.UniqueConstraint("name", "label", name="prompt_labels_name"),
    )


def _create_moves() -> None:
    op.create_table(
        "prompt_label_moves",
        _sequence(),
        _text("label_id", sa.ForeignKey("prompt_labels.id")),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("from_number", sa.Integer, nullable=True),
        sa.Column("to_number", sa.Integer, nullable=False),
        _text("reason"),
        _document("evidence", nullable=True),
        _document("overridden_by"),
        _text("moved_by"),
        _moment("moved_at"),
        sa.UniqueConstraint("label_id", "revision", name="prompt_label_moves_revision"),
        sqlite_autoincrement=True,
    )


def _create_overrides() -> None:
    op.create_table(
        "prompt_overrides",
        _sequence(),
        _text("version_id", sa.ForeignKey("prompt_versions.id")),
        _text("label"),
        _text("content_hash"),
        _text("given_by"),
        _text("reason"),
        _moment("given_at"),
        sa.UniqueConstraint("version_id", "label", "given_by", name="prompt_overrides_once"),
        sqlite_autoincrement=True,
    )


def _sequence() -> sa.Column[int]:
    integer = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("sequence", integer, primary_key=True, autoincrement=True)


def _text(name: str, *constraints: sa.ForeignKey, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *constraints, **{"nullable": False, **options})


def _moment(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _document(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON, nullable=nullable)
