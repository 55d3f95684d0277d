"""The tables as one JSON document, {table: {key: row}}."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import to_jsonable_python
from sqlalchemy import Column, RowMapping, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.store.tables import STATE

SECRET: Final = {"secret": True}
"""The `info` of a column that stays out of the document, and so out of the audit log."""


def key_column(table: Table) -> Column[Any]:
    """What names a row in the document: the first unique column that isn't a counter, else the primary key."""
    named = table.info.get("key")
    if named is not None:
        return table.c[named]
    (column,) = table.primary_key.columns
    return column


def path_of(table: Table, key: object, name: str = "") -> str:
    """Where a row, or one of its columns, is in the document: a JSON Pointer (RFC 6901)."""
    parts = [table.name, str(key), *([name] if name else [])]
    return "".join("/" + p.replace("~", "~0").replace("/", "~1") for p in parts)


def row_document(table: Table, row: Mapping[Any, Any] | RowMapping) -> dict[str, Any]:
    """A row without its secrets; what JSON doesn't have, such as infinity, becomes a string."""
    return plain({c.name: row[c] for c in table.c if c.info != SECRET})


def plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document in JSON's own types."""
    written = json.dumps(to_jsonable_python(dict(document), fallback=_plain))
    made: dict[str, Any] = json.loads(written, parse_constant=str)
    return made


async def state_document(connection: AsyncConnection) -> dict[str, dict[str, Any]]:
    """All that the tables hold."""
    return {
        table.name: {
            str(row[key_column(table)]): row_document(table, row)
            for row in (await connection.execute(select(table))).mappings()
        }
        for table in STATE
    }


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)
