"""The audit log as people see it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from reward_llm.cli.output import shortened, table

Document = Mapping[str, Any]

_VALUE_CELLS: Final = 400
_HASH_DIGITS: Final = 12


def show_records(to: Console, records: Sequence[Document]) -> None:
    """A line a record."""
    rows = table("record", "when", "who", "what", "subject", "scenario", "why", right=["record"])
    for record in records:
        rows.add_row(
            str(record["sequence"]),
            record["at"][:19],
            shortened(record["actor"], 24),
            shortened(record["action"]),
            shortened(record["subject"]),
            shortened(record["scenario"] or "–"),
            shortened(record["reason"], 40),
        )
    to.print(rows)


def show_record(to: Console, record: Document) -> None:
    """Who, when, what, why, from where, and every value before and after."""
    to.print(Text.assemble((f"{record['sequence']}  {_printable(record['action'])}", "bold")))
    facts = table("", "")
    for name in ("at", "actor", "subject", "scenario", "reason", "address", "request_id"):
        facts.add_row(name, Text(_printable(record[name] or "–")))
    for name, value in record["details"].items():
        facts.add_row(Text(_printable(name)), _value(value))
    facts.show_header = False
    to.print(facts)
    if record["changes"]:
        rows = table("changed", "before", "after")
        for change in record["changes"]:
            rows.add_row(Text(_printable(change["path"])), _value(change["before"]), _value(change["after"]))
        to.print(rows)
    to.print(Text(f"sha256:{record['hash']}", "dim"), soft_wrap=True)


def show_verification(to: Console, found: Document) -> None:
    """Whether the log is as it was written, or the first bad record."""
    flaw = found["flaw"]
    if flaw is not None:
        to.print(Text.assemble(("broken  ", "bold red"), _printable(flaw["message"])), soft_wrap=True)
        to.print(f"{found['records']} records before that are as they were written.")
        return
    digits = found["hash"][:_HASH_DIGITS]
    summary = f"{found['records']} records are as they were written, up to {found['sequence']} (sha256:{digits}…)."
    to.print(Text.assemble(("intact  ", "green"), summary), soft_wrap=True)
    if found["compared"]:
        to.print("What they replay to is what the store holds.")
    if found["checkpoints"]:
        to.print(f"{found['checkpoints']} signed checkpoints agree.")
    else:
        to.print(Text("No signed checkpoint was checked: newer records may have been cut off.", "yellow"))


def _value(value: Any) -> Text:
    if value is None:
        return Text("–", "dim")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shortened(_printable(text), _VALUE_CELLS)


def _printable(text: str) -> str:
    """The text without what could steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in str(text))
