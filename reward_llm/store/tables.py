"""The tables, in types that SQLite and PostgreSQL both have.

Lists are ordered by `sequence`, which only ever grows, so clocks never decide what is newest. The scope of a
whole scenario has the segment ''. Documents are `json`, never `jsonb`, which would sort their keys.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from reward_llm.errors import InvalidInput

_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: any UTC offset in, UTC out.

    Raises:
        InvalidInput: If the moment has no UTC offset, or lies outside the years 1 to 9999 in UTC.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise InvalidInput(f"{value.isoformat()} has no UTC offset")
        try:
            return value.astimezone(UTC)
        except OverflowError as exc:
            raise InvalidInput(f"{value.isoformat()} can't be written in UTC") from exc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment with its offset, which SQLite doesn't keep."""
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class PlainText(TypeDecorator[str]):
    """Text that every database can hold.

    Raises:
        InvalidInput: If it holds a NUL, which PostgreSQL refuses, or half a surrogate pair, which no UTF-8 has.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text itself."""
        if value and _UNSTORABLE.search(value):
            raise InvalidInput("a text holds a NUL or half a surrogate pair", hint="Remove that character.")
        return value


metadata: Final = MetaData()


def _text(name: str, *constraints: ForeignKey, **options: Any) -> Column[str]:
    return Column(name, PlainText, *constraints, **{"nullable": False, **options})


def _moment(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, UtcDateTime, nullable=nullable)


def _document(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, JSON(none_as_null=True), nullable=nullable)


def _sequence() -> Column[int]:
    integer = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself in an INTEGER alone
    return Column("sequence", integer, primary_key=True, autoincrement=True)


goals: Final = Table(
    "goals",
    metadata,
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
    UniqueConstraint("id", name="goals_id"),
    Index("goals_by_scenario", "scenario"),
    Index("goals_by_state", "state"),
    sqlite_autoincrement=True,
)

policies: Final = Table(
    "policies",
    metadata,
    _sequence(),
    _text("id"),
    _text("content_hash"),
    _text("scenario"),
    _text("segment"),
    Column("version", Integer, nullable=False),
    _document("weights"),
    _text("source"),
    _text("origin"),
    _moment("created_at"),
    UniqueConstraint("id", name="policies_id"),
    UniqueConstraint("scenario", "segment", "version", name="policies_version"),
    sqlite_autoincrement=True,
)

proposals: Final = Table(
    "proposals",
    metadata,
    _text("goal_id", ForeignKey("goals.id"), primary_key=True),
    _document("interpretation"),
    _document("numbers"),
    _document("dates"),
    _document("weights"),
    _text("source"),
    _document("reason", nullable=True),  # as JSON, because it may quote any character of a model's answer
    _document("provenance"),
    _document("review", nullable=True),
    _text("policy_id", ForeignKey("policies.id"), nullable=True),
    _moment("settled_at"),
)

activations: Final = Table(
    "activations",
    metadata,
    _sequence(),
    _text("policy_id", ForeignKey("policies.id")),
    _moment("valid_from", nullable=True),
    _moment("valid_until", nullable=True),
    _moment("activated_at"),
    _text("activated_by"),
    Index("activations_by_policy", "policy_id"),
    sqlite_autoincrement=True,
)

audit: Final = Table(
    "audit",
    metadata,
    _sequence(),
    _moment("at"),
    _text("actor"),
    _text("action"),
    _text("subject"),
    _document("details"),
    Index("audit_by_subject", "subject"),
    sqlite_autoincrement=True,
)

idempotency: Final = Table(
    "idempotency",
    metadata,
    _text("key", primary_key=True),
    _text("request_hash"),
    _text("action"),
    _text("subject"),
    _moment("created_at"),
)
