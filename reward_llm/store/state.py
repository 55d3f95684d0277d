"""The tables as one JSON document, {table: {key: row}}."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic_core import to_jsonable_python
from sqlalchemy import Column, Connection, RowMapping, Table, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.canonical import interchangeable
from reward_llm.domain.replay import State, pointer
from reward_llm.store.tables import STATE

Schema = Mapping[str, Collection[str]]
"""Tables and their columns, by name."""


def key_column(table: Table) -> Column[Any]:
    """What names a row in the document: the column that the table's `info` names, else the primary key."""
    named = table.info.get("key")
    if named is not None:
        return table.c[named]
    (column,) = table.primary_key.columns
    return column


def path_of(table: Table, key: object, name: str = "") -> str:
    """Where a row, or one of its columns, is in the document: a JSON Pointer (RFC 6901)."""
    return pointer(table.name, str(key), *([name] if name else []))


def row_document(table: Table, row: Mapping[Any, Any] | RowMapping) -> dict[str, Any]:
    """A row without its secrets, in JSON's own types."""
    return plain({c.name: row[c] for c in table.c if not _is_secret(c)})


def plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document in JSON's own types; what JSON doesn't have, such as infinity, becomes a string."""
    made: dict[str, Any] = interchangeable(to_jsonable_python(dict(document), fallback=_plain))
    return made


async def state_document(connection: AsyncConnection, schema: Schema | None = None) -> State:
    """All that the tables hold, or what they hold in an older schema's columns."""
    document: State = {}
    for table in STATE:
        columns = [c for c in table.c if schema is None or c.name in schema.get(table.name, ())]
        if columns:
            document[table.name] = await _table_document(connection, table, columns)
    return document


async def schema_of(connection: AsyncConnection) -> dict[str, set[str]]:
    """The tables and columns that the database has."""
    return await connection.run_sync(_schema)


async def _table_document(
    connection: AsyncConnection, table: Table, columns: Collection[Column[Any]]
) -> dict[str, dict[str, Any]]:
    rows = (await connection.execute(select(*columns))).mappings().all()
    shown = [c for c in columns if not _is_secret(c)]
    key = key_column(table)
    return {str(row[key]): plain({c.name: row[c] for c in shown}) for row in rows}


def _schema(connection: Connection) -> dict[str, set[str]]:
    found = inspect(connection).get_multi_columns()
    return {name: {column["name"] for column in columns} for (_, name), columns in found.items()}


def _is_secret(column: Column[Any]) -> bool:
    """Whether a column stays out of the document, and so out of the audit log."""
    return bool(column.info.get("secret"))


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)
