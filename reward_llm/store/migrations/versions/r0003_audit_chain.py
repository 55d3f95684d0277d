"""The audit log as hash chains: one through all records, and one through those of each scenario.

Earlier records join the chains as they are. Each belongs to the scenario of the goal or policy that it is about, as
far as it names one, and has no patch: what it changed wasn't kept in that form.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC
from typing import Any, Final

import rfc8785
import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_GENESIS: Final = "0" * 64
_BATCH: Final = 500
_TEXTS: Final = ("chain", "reason", "address", "request_id", "previous_hash", "preceding_hash", "hash")
_COLUMNS: Final = ("position", "patch", *_TEXTS)
_UNIQUE: Final = {
    "audit_position": ["chain", "position"],
    "audit_previous_hash": ["chain", "previous_hash"],
    "audit_preceding_hash": ["preceding_hash"],
    "audit_hash": ["hash"],
}
_SQLITE_APPEND_ONLY: Final = """
CREATE TRIGGER audit_refuses_{event} BEFORE {event} ON audit {condition}
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
"""
_REPLACED_BEFORE: Final = "WHEN EXISTS (SELECT 1 FROM audit WHERE sequence = NEW.sequence)"
_REPLACED: Final = """WHEN EXISTS (
  SELECT 1 FROM audit
  WHERE sequence = NEW.sequence OR hash = NEW.hash OR preceding_hash = NEW.preceding_hash
    OR (chain = NEW.chain AND (position = NEW.position OR previous_hash = NEW.previous_hash))
)"""
"""INSERT OR REPLACE takes away what it collides with, and fires no trigger for that."""
_POSTGRESQL_APPEND_ONLY: Final = """
CREATE TRIGGER audit_refuses_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()
"""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_audit: Final = sa.table(
    "audit",
    *(sa.column(n) for n in ("sequence", "actor", "action", "subject", "position", *_TEXTS)),
    sa.column("at", sa.DateTime(timezone=True)),
    sa.column("details", sa.JSON),
    sa.column("patch", sa.JSON),
)
_goals: Final = sa.table("goals", sa.column("id"), sa.column("scenario"))
_policies: Final = sa.table("policies", sa.column("id"), sa.column("scenario"))


def upgrade() -> None:
    """Add the columns, chain the records that are there, and keep the log append-only again."""
    _drop_triggers()
    for name in _TEXTS:
        op.add_column("audit", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("audit", sa.Column("position", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("audit", sa.Column("patch", sa.JSON, nullable=False, server_default="[]"))
    _chain_records()
    for name, columns in _UNIQUE.items():
        op.create_index(name, "audit", columns, unique=True)
    op.create_index("audit_by_request", "audit", ["request_id"])
    if op.get_bind().dialect.name == "postgresql":
        for name in _COLUMNS:
            op.alter_column("audit", name, server_default=None)
    _create_triggers(_REPLACED)


def downgrade() -> None:
    """Drop the columns with all that is in them."""
    _drop_triggers()
    for name in ("audit_by_request", *_UNIQUE):
        op.drop_index(name, "audit")
    for name in _COLUMNS:
        op.drop_column("audit", name)
    _create_triggers(_REPLACED_BEFORE)


def _drop_triggers() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE", "INSERT"):
            op.execute(f"DROP TRIGGER audit_refuses_{event}")
    else:
        op.execute("DROP TRIGGER audit_refuses_changes ON audit")


def _create_triggers(replaced: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for event, condition in (("UPDATE", ""), ("DELETE", ""), ("INSERT", replaced)):
            op.execute(_SQLITE_APPEND_ONLY.format(event=event, condition=condition))
    else:
        op.execute(_POSTGRESQL_APPEND_ONLY)


def _chain_records() -> None:
    connection = op.get_bind()
    preceding, heads = _GENESIS, dict[str, tuple[int, str]]()
    for row in _records():
        chain = row.of_goal or row.of_policy or ""
        position, previous = heads.get(chain, (0, _GENESIS))
        reason = row.details.get("reason") if isinstance(row.details, dict) else None
        added: dict[str, Any] = {
            "chain": chain,
            "position": position + 1,
            "reason": reason if isinstance(reason, str) else "",
            "address": "",
            "request_id": "",
            "patch": [],
            "previous_hash": previous,
            "preceding_hash": preceding,
        }
        preceding = _hash(row, added)
        heads[chain] = (position + 1, preceding)
        at = _audit.c.sequence == row.sequence
        connection.execute(sa.update(_audit).where(at).values(**added, hash=preceding))


def _records() -> Iterator[Any]:
    column = _audit.c
    query = (
        sa.select(
            column.sequence,
            column.at,
            column.actor,
            column.action,
            column.subject,
            column.details,
            _goals.c.scenario.label("of_goal"),
            _policies.c.scenario.label("of_policy"),
        )
        .select_from(
            _audit.outerjoin(_goals, _goals.c.id == column.subject).outerjoin(
                _policies, _policies.c.id == column.subject
            )
        )
        .order_by(column.sequence)
        .limit(_BATCH)
    )
    last = -1
    while rows := op.get_bind().execute(query.where(column.sequence > last)).all():
        yield from rows
        last = rows[-1].sequence


def _hash(row: Any, added: dict[str, Any]) -> str:
    at = row.at.replace(tzinfo=UTC) if row.at.tzinfo is None else row.at.astimezone(UTC)
    document = {
        "kind": "audit_record/1",
        "sequence": row.sequence,
        "at": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "details": row.details,
        **added,
    }
    return hashlib.sha256(_canonical(document)).hexdigest()


def _canonical(document: dict[str, Any]) -> bytes:
    """RFC 8785, with what that refuses written out: half surrogate pairs, and integers that no double holds."""
    text = _SURROGATE.sub(lambda m: f"\\\\u{ord(m[0]):04x}", json.dumps(document, ensure_ascii=False))
    return rfc8785.dumps(json.loads(text, parse_int=_integer))


def _integer(digits: str) -> int | str:
    return int(digits) if abs(int(digits)) < 2**53 else digits
