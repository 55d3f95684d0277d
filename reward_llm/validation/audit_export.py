"""The audit log as a file: JSON Lines, one record a line, each in the only form that it may have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from reward_llm.domain.audit import AuditRecord
from reward_llm.domain.audit_flaws import Unreadable
from reward_llm.domain.canonical import canonical

_NAMES: Final = frozenset(f.name for f in fields(AuditRecord))
_DOUBLES_COUNT_TO: Final = 2**53
_INTEGERS: Final = frozenset({"sequence", "position"})
_OTHERS: Final = {"patch": list, "details": dict}


def line_of(record: AuditRecord) -> bytes:
    """The record's line: its RFC 8785 canonical JSON with the hash, and a line feed."""
    return canonical({**record.document, "hash": record.hash}) + b"\n"


def read_export(lines: Iterable[bytes]) -> Iterator[AuditRecord | Unreadable]:
    """The records of a file's lines; a line that differs in a single byte from what was exported is unreadable."""
    for number, line in enumerate(lines, 1):
        try:
            yield _record(line)
        except (ValueError, RecursionError) as exc:
            yield Unreadable(f"line {number}: {exc}")


def _record(line: bytes) -> AuditRecord:
    document = json.loads(line, parse_int=_number)
    if not isinstance(document, dict) or document.keys() != _NAMES | {"kind"}:
        raise ValueError("it isn't an audit record")
    values = {name: _typed(name, document[name]) for name in _NAMES}
    record = AuditRecord(**values)
    if line_of(record) != line:
        raise ValueError("it isn't written as an export writes it")
    return record


def _number(digits: str) -> int | float:
    """The number; RFC 8785 writes large doubles without a point, and no larger integers."""
    return int(digits) if abs(int(digits)) < _DOUBLES_COUNT_TO else float(digits)


def _typed(name: str, value: Any) -> Any:
    if name == "at" and isinstance(value, str):
        return _moment(value)
    expected = int if name in _INTEGERS else _OTHERS.get(name, str)
    if type(value) is not expected:
        raise ValueError(f"its {name} is no {expected.__name__}")
    return value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("its moment has no UTC offset")
    return moment
