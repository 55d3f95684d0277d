"""`reward-llm worker`: what has to be done again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from reward_llm.cli.options import JsonOption, LangOption
from reward_llm.cli.output import REFUSED, console, print_json, table
from reward_llm.cli.wording import Lang, say

if TYPE_CHECKING:
    from reward_llm.domain.ports.leader import DutyRecord


def worker(
    *,
    database_url: Annotated[str | None, typer.Option("--database-url", help="The service's database.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Do every duty one time, and end.")] = False,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Do what has to be done again and again, as long as no other process does; until it is stopped.

    Of several workers on one database one leads, and another takes over when it ends, however it does.
    """
    from reward_llm import bootstrap
    from reward_llm.cli.agents import until_stopped
    from reward_llm.cli.serve import configure_logging
    from reward_llm.store import newest_revision

    settings = bootstrap.load_settings(database_url=database_url)
    bootstrap.check_schema(bootstrap.store_revision(settings), newest_revision())
    configure_logging(settings.log_level)
    if not once:
        asyncio.run(until_stopped(bootstrap.run_worker(settings)))
        return
    records = asyncio.run(bootstrap.run_duties_once(settings))
    if as_json:
        print_json({"duties": [_document(name, record) for name, record in records.items()]})
    else:
        _show(records, lang)
    if any(record.error for record in records.values()):
        raise typer.Exit(REFUSED)


def _document(name: str, record: DutyRecord) -> dict[str, Any]:
    return {"duty": name, **asdict(record), "last_at": record.last_at.isoformat() if record.last_at else None}


def _show(records: Mapping[str, DutyRecord], lang: Lang) -> None:
    seconds = say("duty_seconds", lang)
    rows = table(say("duty", lang), seconds, say("duty_outcome", lang), right=(seconds,))
    for name, record in records.items():
        outcome = Text(record.error, "red") if record.error else Text(say("duty_done", lang), "green")
        rows.add_row(name, f"{record.last_s:.2f}", outcome)
    console().print(rows)
