"""What an audit record changed, as rows that people read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRow:
    """One column of a table's `row`, before and after; None where there was or is none."""

    row: str
    column: str
    before: str | None
    after: str | None


def value_rows(changes: Sequence[Document]) -> list[ValueRow]:
    """The changes of a record, a column each: a row that was added or taken away is all of its columns."""
    return [row for change in changes for row in _rows(change)]


def _rows(change: Document) -> list[ValueRow]:
    table, key, *column = [part.replace("~1", "/").replace("~0", "~") for part in change["path"].split("/")[1:]]
    before, after = change["before"], change["after"]
    name = f"{table}/{key}"
    if column:
        return [ValueRow(row=name, column=column[0], before=_text(before), after=_text(after))]
    old, new = before or {}, after or {}
    return [
        ValueRow(row=name, column=column_name, before=_text(old.get(column_name)), after=_text(new.get(column_name)))
        for column_name in dict.fromkeys((*old, *new))
    ]


def _text(value: Any) -> str | None:
    """A value as it stands in a cell: documents over several lines."""
    if value is None:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list) and value:
        return json.dumps(value, ensure_ascii=False, indent=2)
    return json.dumps(value, ensure_ascii=False)
