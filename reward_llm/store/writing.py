"""One transaction's writes, and the audit record that they leave.

The tables are one JSON document, {table: {key: row}}, and a record's patch (JSON Patch, RFC 6902) takes it from what
it was before the act to what it is after: rows are added, and a replaced value stands beside the `test` of the value
before. So the patches of all records, one after the other, make the whole state.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.act import Act
from reward_llm.store.ledger import put_on_record
from reward_llm.store.state import key_column, path_of, row_document


class Writing:
    """A transaction that writes for one act."""

    def __init__(self, connection: AsyncConnection, act: Act) -> None:
        self.connection = connection
        self.act = act
        self._patch: list[dict[str, Any]] = []

    @property
    def at(self) -> datetime:
        """When the act happens."""
        return self.act.at

    async def insert(self, table: Table, values: Mapping[str, Any]) -> RowMapping:
        """Add a row of a state table; gives it as it is stored."""
        result = await self.connection.execute(insert(table).values(dict(values)).returning(*table.c))
        row = result.mappings().one()
        key = row[key_column(table)]
        self._patch.append({"op": "add", "path": path_of(table, key), "value": row_document(table, row)})
        return row

    async def update(self, table: Table, key: object, values: Mapping[str, Any]) -> None:
        """Change columns of the row of a state table that has the key, which must be there."""
        chosen = key_column(table) == key
        before = await self._document(table, key)
        await self.connection.execute(update(table).where(chosen).values(dict(values)))
        after = await self._document(table, key)
        for name in after:
            if before[name] != after[name]:
                path = path_of(table, key, name)
                self._patch.append({"op": "test", "path": path, "value": before[name]})
                self._patch.append({"op": "replace", "path": path, "value": after[name]})

    async def put_on_record(
        self, action: str, subject: str, *, chain: str = "", details: Mapping[str, Any] | None = None
    ) -> None:
        """Leave the audit record of what was written so far.

        Args:
            action: What was done, such as `policy.edited`.
            subject: The id of what it was done to, '' if it has none.
            chain: The scenario that it belongs to; '' for what belongs to none.
            details: What the patch doesn't say.
        """
        patch, self._patch = self._patch, []
        await put_on_record(
            self.connection, self.act, action, subject, chain=chain, patch=patch, details=details or {}
        )

    async def _document(self, table: Table, key: object) -> dict[str, Any]:
        result = await self.connection.execute(select(table).where(key_column(table) == key))
        return row_document(table, result.mappings().one())
