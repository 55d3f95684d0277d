"""Reviews, partial and changeable activations, and freezes."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_REQUIRED: Final = ("percent", "revision", "changed", "scenario", "segment", "starts_at")
_ACTIVATION_COLUMNS: Final = (*_REQUIRED, "ends_at", "ended_at", "ended_by", "ending")
_LONG_AGO: Final = "1970-01-01 00:00:00.000000"
_policies: Final = sa.table(
    "policies",
    *map(sa.column, ("id", "origin", "source", "author", "scenario", "segment")),
)
_goals: Final = sa.table("goals", sa.column("id"), sa.column("submitted_by"))
_activations: Final = sa.table(
    "activations",
    *map(sa.column, ("sequence", "policy_id", "valid_from", "valid_until", "activated_at")),
    *map(sa.column, ("changed", "scenario", "segment", "starts_at", "ends_at")),
)
_EDIT: Final = "edit by "


def upgrade() -> None:
    """Make the tables, and let earlier activations be for everybody and unchanged."""
    op.add_column("policies", sa.Column("author", sa.Text, nullable=False, server_default=""))
    _name_authors()
    _extend_activations()
    _work_out_activations()
    op.create_index("activations_by_change", "activations", ["changed"])
    op.create_index("activations_by_end", "activations", ["scenario", "segment", "ends_at", "starts_at"])
    _create_reviews()
    _create_freezes()
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("policies", "author", server_default=None)
        for name in _REQUIRED:
            op.alter_column("activations", name, server_default=None)


def downgrade() -> None:
    """Drop the tables and columns with all that is in them."""
    op.drop_table("freezes")
    op.drop_table("reviews")
    op.drop_index("activations_by_end", "activations")
    op.drop_index("activations_by_change", "activations")
    for name in _ACTIVATION_COLUMNS:
        op.drop_column("activations", name)
    op.drop_column("policies", "author")


def _name_authors() -> None:
    """An edit's author is in its origin; any other policy has the author of its goal."""
    column, by_hand = _policies.c, _policies.c.source == "human"
    submitter = sa.select(_goals.c.submitted_by).where(_goals.c.id == column.origin).scalar_subquery()
    edited_by = sa.func.substr(column.origin, len(_EDIT) + 1)
    op.execute(sa.update(_policies).where(by_hand & column.origin.startswith(_EDIT)).values(author=edited_by))
    op.execute(sa.update(_policies).where(~by_hand).values(author=sa.func.coalesce(submitter, "")))


def _extend_activations() -> None:
    op.add_column("activations", sa.Column("percent", sa.Float, nullable=False, server_default="100"))
    op.add_column("activations", sa.Column("revision", sa.Integer, nullable=False, server_default="1"))
    op.add_column("activations", sa.Column("changed", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("activations", _moment("ended_at", nullable=True))
    op.add_column("activations", _text("ended_by", nullable=True))
    op.add_column("activations", _text("ending", nullable=True))
    op.add_column("activations", sa.Column("scenario", sa.Text, nullable=False, server_default=""))
    op.add_column("activations", sa.Column("segment", sa.Text, nullable=False, server_default=""))
    op.add_column("activations", _moment("starts_at", server_default=_LONG_AGO))
    op.add_column("activations", _moment("ends_at", nullable=True))


def _work_out_activations() -> None:
    """Each is of its policy's scope, and lies between its own times."""
    column = _activations.c
    begins_later = column.valid_from > column.activated_at
    of_policy = {
        name: sa.select(_policies.c[name]).where(_policies.c.id == column.policy_id).scalar_subquery()
        for name in ("scenario", "segment")
    }
    op.execute(
        sa.update(_activations).values(
            changed=column.sequence,
            starts_at=sa.case((begins_later, column.valid_from), else_=column.activated_at),
            ends_at=column.valid_until,
            **of_policy,
        )
    )


def _create_reviews() -> None:
    op.create_table(
        "reviews",
        _sequence(),
        _text("policy_id", sa.ForeignKey("policies.id")),
        _text("kind"),
        _text("actor"),
        _moment("at"),
        _text("comment"),
        _text("content_hash", nullable=True),
        sa.Column("needed", sa.Integer, nullable=True),
        sa.Column("self_approval", sa.Boolean, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("reviews_by_policy", "reviews", ["policy_id"])


def _create_freezes() -> None:
    op.create_table(
        "freezes",
        _sequence(),
        _text("scenario"),
        _text("segment"),
        sa.Column("frozen", sa.Boolean, nullable=False),
        _moment("at"),
        _text("actor"),
        _text("reason"),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("freezes_by_scope", "freezes", ["scenario", "segment"])
    op.create_index("freezes_by_change", "freezes", ["changed"])


def _sequence() -> sa.Column[int]:
    integer = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("sequence", integer, primary_key=True, autoincrement=True)


def _text(name: str, *constraints: sa.ForeignKey, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *constraints, nullable=nullable)


def _moment(name: str, *, nullable: bool = False, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, **options)
