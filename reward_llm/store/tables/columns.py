"""Column types that SQLite and PostgreSQL both have.

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
    Integer,
    MetaData,
    Text,
    TypeDecorator,
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


def text(name: str, *constraints: ForeignKey, **options: Any) -> Column[str]:
    """A column of text."""
    return Column(name, PlainText, *constraints, **{"nullable": False, **options})


def moment(name: str, *, nullable: bool = False) -> Column[datetime]:
    """A column of moments."""
    return Column(name, UtcDateTime, nullable=nullable)


def document(name: str, *, nullable: bool = False) -> Column[Any]:
    """A column of JSON documents."""
    return Column(name, JSON(none_as_null=True), nullable=nullable)


def sequence() -> Column[int]:
    """The column that orders a list."""
    integer = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself in an INTEGER alone
    return Column("sequence", integer, primary_key=True, autoincrement=True)
