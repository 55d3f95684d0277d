"""The audit log as a file: lines that can be verified, or a table for people."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Sequence
from enum import StrEnum
from typing import Any, Final

from reward_llm.domain.audit import AuditRecord, Change, changes_of, moment_text
from reward_llm.domain.ports import AuditLog
from reward_llm.validation.audit_export import line_of

Writer = Callable[[Sequence[AuditRecord]], bytes]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a cell that a spreadsheet would compute begins with (https://owasp.org/www-community/attacks/CSV_Injection)."""
_BYTE_ORDER_MARK: Final = "\ufeff".encode()
"""Without it spreadsheets take UTF-8 for something else."""
_COLUMNS: Final = (
    "sequence",
    "at",
    "actor",
    "action",
    "subject",
    "scenario",
    "reason",
    "changes",
    "details",
    "address",
    "request_id",
    "position",
    "previous_hash",
    "preceding_hash",
    "hash",
)


class ExportFormat(StrEnum):
    """How records are written."""

    JSONL = "jsonl"
    CSV = "csv"


async def exported(log: AuditLog, first: int, last: int, written_as: ExportFormat) -> AsyncIterator[bytes]:
    """The records from `first` to `last`, some at a time."""
    write: Writer = _jsonl if written_as is ExportFormat.JSONL else _csv
    if written_as is ExportFormat.CSV:
        yield _BYTE_ORDER_MARK + _rows([_COLUMNS])
    while first <= last and (records := await log.stretch(first, last)):
        yield await asyncio.to_thread(write, records)
        first = records[-1].sequence + 1


def _jsonl(records: Sequence[AuditRecord]) -> bytes:
    return b"".join(line_of(r) for r in records)


def _csv(records: Sequence[AuditRecord]) -> bytes:
    return _rows([_cells(r) for r in records])


def _rows(rows: Sequence[Sequence[object]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue().encode("utf-8", "backslashreplace")


def _cells(record: AuditRecord) -> list[object]:
    values = {
        **record.document,
        "at": moment_text(record.at),
        "scenario": record.chain,
        "changes": "; ".join(map(_change, changes_of(record.patch))),
        "details": _json(record.details) if record.details else "",
        "hash": record.hash,
    }
    return [_harmless(values[name]) for name in _COLUMNS]


def _change(change: Change) -> str:
    return f"{change.path}: {_json(change.before)} -> {_json(change.after)}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _harmless(value: object) -> object:
    """The cell with an apostrophe before what would be computed."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value
