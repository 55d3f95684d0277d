"""Goals, proposals, policies, activations, the audit log and idempotency keys."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TABLES: Final = ("idempotency", "audit", "activations", "proposals", "policies", "goals")
_SQLITE_APPEND_ONLY: Final = """
CREATE TRIGGER audit_refuses_{event} BEFORE {event} ON audit {condition}
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
"""
_REPLACES_A_RECORD: Final = "WHEN EXISTS (SELECT 1 FROM audit WHERE sequence = NEW.sequence)"
_POSTGRESQL_REFUSAL: Final = """
CREATE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
_POSTGRESQL_APPEND_ONLY: Final = """
CREATE TRIGGER audit_refuses_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()
"""


def upgrade() -> None:
    """Make the tables, and the triggers that keep the audit log append-only."""
    _create_goals()
    _create_policies()
    _create_proposals()
    _create_activations()
    _create_audit()
    _create_idempotency()
    if op.get_bind().dialect.name == "sqlite":
        for event, condition in (("UPDATE", ""), ("DELETE", ""), ("INSERT", _REPLACES_A_RECORD)):
            op.execute(_SQLITE_APPEND_ONLY.format(event=event, condition=condition))
    else:
        op.execute(_POSTGRESQL_REFUSAL)
        op.execute(_POSTGRESQL_APPEND_ONLY)


def downgrade() -> None:
    """Drop the tables with all that is in them."""
    for table in _TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_refuses()")


def _create_goals() -> None:
    op.create_table(
        "goals",
        _sequence(),
        _text("id"),
        _text("scenario"),
        _text("segment"),
        _text("text"),
        _document("targets"),
        _moment("valid_from", nullable=True),
        _moment("valid_until", nullable=True),
        _moment("submitted_at"),
        _text("submitted_by"),
        _text("state"),
        sa.UniqueConstraint("id", name="goals_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("goals_by_scenario", "goals", ["scenario"])
    op.create_index("goals_by_state", "goals", ["state"])


def _create_policies() -> None:
    op.create_table(
        "policies",
        _sequence(),
        _text("id"),
        _text("content_hash"),
        _text("scenario"),
        _text("segment"),
        sa.Column("version", sa.Integer, nullable=False),
        _document("weights"),
        _text("source"),
        _text("origin"),
        _moment("created_at"),
        sa.UniqueConstraint("id", name="policies_id"),
        sa.UniqueConstraint("scenario", "segment", "version", name="policies_version"),
        sqlite_autoincrement=True,
    )


def _create_proposals() -> None:
    op.create_table(
        "proposals",
        _text("goal_id", sa.ForeignKey("goals.id"), primary_key=True),
        _document("interpretation"),
        _document("numbers"),
        _document("dates"),
        _document("weights"),
        _text("source"),
        _document("reason", nullable=True),
        _document("provenance"),
        _text("policy_id", sa.ForeignKey("policies.id"), nullable=True),
        _moment("settled_at"),
    )


def _create_activations() -> None:
    op.create_table(
        "activations",
        _sequence(),
        _text("policy_id", sa.ForeignKey("policies.id")),
        _moment("valid_from", nullable=True),
        _moment("valid_until", nullable=True),
        _moment("activated_at"),
        _text("activated_by"),
        sqlite_autoincrement=True,
    )
    op.create_index("activations_by_policy", "activations", ["policy_id"])


def _create_audit() -> None:
    op.create_table(
        "audit",
        _sequence(),
        _moment("at"),
        _text("actor"),
        _text("action"),
        _text("subject"),
        _document("details"),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_by_subject", "audit", ["subject"])


def _create_idempotency() -> None:
    op.create_table(
        "idempotency",
        _text("key", primary_key=True),
        _text("request_hash"),
        _text("action"),
        _text("subject"),
        _moment("created_at"),
    )


def _sequence() -> sa.Column[int]:
    integer = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("sequence", integer, primary_key=True, autoincrement=True)


def _text(name: str, *constraints: sa.ForeignKey, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *constraints, **{"nullable": False, **options})


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _document(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON, nullable=nullable)
