"""Lists by pages, newest first."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, RowMapping, Select
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.ports import Page
from reward_llm.errors import InvalidInput

T = TypeVar("T")

MAX_LIMIT: Final = 200
_MAX_SEQUENCE: Final = 2**63 - 1


def check_limit(limit: int) -> None:
    """Accept 1 to `MAX_LIMIT`.

    Raises:
        InvalidInput: For any other number.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput(f"limit is {limit}; it must be 1 to {MAX_LIMIT}")


async def page(
    connection: AsyncConnection,
    query: Select[Any],
    sequence: ColumnElement[int],
    decode: Callable[[RowMapping], T],
    *,
    cursor: str | None,
    limit: int,
) -> Page[T]:
    """The rows of the query that follow the cursor, in falling order of `sequence`.

    Raises:
        InvalidInput: If the cursor isn't one of this list's, or the limit is out of range.
    """
    check_limit(limit)
    kind = str(sequence)
    if cursor is not None:
        query = query.where(sequence < _position(cursor, kind))
    result = await connection.execute(query.order_by(sequence.desc()).limit(limit + 1))
    rows = result.mappings().all()
    more = len(rows) > limit
    return Page(
        items=tuple(decode(row) for row in rows[:limit]),
        next_cursor=_cursor(rows[limit - 1][sequence], kind) if more else None,
    )


def _cursor(position: int, kind: str) -> str:
    return base64.urlsafe_b64encode(f"{kind}:{position}".encode()).decode()


def _position(cursor: str, kind: str) -> int:
    try:
        position = int(base64.urlsafe_b64decode(cursor).decode().removeprefix(f"{kind}:"))
    except (binascii.Error, ValueError):
        position = -1
    if not 0 <= position <= _MAX_SEQUENCE or _cursor(position, kind) != cursor:
        raise InvalidInput("the cursor isn't one of this list's", hint="Start again without a cursor.")
    return position
