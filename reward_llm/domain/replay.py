"""Audit patches, replayed: the tables as one JSON document, {table: {key: row}}, rebuilt from nothing.

A patch is a JSON Patch (RFC 6902) of `add`, `replace`, `remove` and `test` whose paths name a row or one of its
columns. Tables are there as soon as they have a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

State = dict[str, dict[str, dict[str, Any]]]

_ABSENT: Final = object()
_ROW: Final = 2
"""The parts of a path that names a row."""


class PatchRefused(ValueError):
    """An operation that doesn't fit the state that it is applied to."""


def apply(state: State, patch: object) -> None:
    """Change the state as the patch says; what came before an operation that doesn't fit stays applied.

    Raises:
        PatchRefused: If the patch isn't one, or an operation doesn't fit.
    """
    if not isinstance(patch, (list, tuple)):
        raise PatchRefused("the patch isn't a list of operations")
    for operation in patch:
        _apply_one(state, operation)


def first_difference(expected: State, found: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The path of the first row or column that differs, None if all is the same; tables without rows are none."""
    return next((o["path"] for o in difference(expected, found)), None)


def difference(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> Iterator[Any]:
    """The operations of a patch from one state to another, with the values before as `test`s."""
    for table in (*before, *(t for t in after if t not in before)):
        old, new = before.get(table, {}), after.get(table, {})
        for key in (*old, *(k for k in new if k not in old)):
            yield from _row_difference(pointer(table, key), old.get(key, _ABSENT), new.get(key, _ABSENT))


def pointer(*parts: str) -> str:
    """A JSON Pointer (RFC 6901).

    >>> pointer("policies", "a/b")
    '/policies/a~1b'
    """
    return "".join("/" + p.replace("~", "~0").replace("/", "~1") for p in parts)


def _row_difference(path: str, old: Any, new: Any) -> Iterator[Any]:
    if old is _ABSENT or new is _ABSENT:
        yield from _operations(path, old, new)
        return
    for name in (*old, *(n for n in new if n not in old)):
        yield from _operations(path + pointer(name), old.get(name, _ABSENT), new.get(name, _ABSENT))


def _operations(path: str, old: Any, new: Any) -> Iterator[Any]:
    if old is not _ABSENT and old == new:
        return
    if old is not _ABSENT:
        yield {"op": "test", "path": path, "value": old}
    if new is _ABSENT:
        yield {"op": "remove", "path": path}
    else:
        yield {"op": "add" if old is _ABSENT else "replace", "path": path, "value": new}


def _apply_one(state: State, operation: object) -> None:
    op, path, value = _read(operation)
    if path.count("/") == _ROW and op in ("add", "replace"):
        value = _row(value)
    holder, name = _place(state, path, makes_a_row=op == "add")
    there = holder.get(name, _ABSENT)
    if op == "add" and there is _ABSENT:
        holder[name] = value
    elif op == "test" and there is not _ABSENT and there == value:
        pass
    elif op == "replace" and there is not _ABSENT:
        holder[name] = value
    elif op == "remove" and there is not _ABSENT:
        del holder[name]
    else:
        raise PatchRefused(f"{op} {path} doesn't fit what was there")


def _read(operation: object) -> tuple[str, str, Any]:
    if not isinstance(operation, Mapping):
        raise PatchRefused("an operation of the patch isn't an object")
    op, path = operation.get("op"), operation.get("path")
    if not isinstance(op, str) or not isinstance(path, str) or (op != "remove" and "value" not in operation):
        raise PatchRefused("an operation of the patch isn't whole")
    return op, path, operation.get("value")


def _row(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise PatchRefused("a row of the patch isn't an object")
    return dict(value)


def _place(state: State, path: str, *, makes_a_row: bool) -> tuple[dict[str, Any], str]:
    """The object that a path leads into, and the name there."""
    start, *parts = (p.replace("~1", "/").replace("~0", "~") for p in path.split("/"))
    if start or len(parts) not in (2, 3):
        raise PatchRefused(f"{path} names neither a row nor a column")
    table, key, *column = parts
    rows = state.setdefault(table, {}) if makes_a_row else state.get(table, {})
    if not column:
        return rows, key
    row = rows.get(key)
    if not isinstance(row, dict):
        raise PatchRefused(f"{path} is in a row that isn't there")
    return row, column[0]
