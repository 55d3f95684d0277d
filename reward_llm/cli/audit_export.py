"""The audit log into a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from reward_llm.errors import ConfigurationInvalid


def export(
    file: Annotated[Path | None, typer.Argument(dir_okay=False, help="Standard output if left out.")] = None,
    *,
    written_as: Annotated[
        Literal["jsonl", "csv"], typer.Option("--format", help="jsonl can be verified; csv is for people.")
    ] = "jsonl",
    first: Annotated[int, typer.Option("--from", min=1, help="The first record.")] = 1,
    last: Annotated[int | None, typer.Option("--to", min=1, help="The last record.")] = None,
) -> None:
    """Write all audit records, or those from one to another, into a file; it is there when it is whole."""
    from reward_llm.cli.client import connect

    query: dict[str, str | int | None] = {"format": written_as, "from": first, "to": last}
    if file is None:
        connect().download("audit", "export", into=sys.stdout.buffer, **query)
        return
    unfinished = file.with_name(f"{file.name}.part")
    try:
        with unfinished.open("wb") as out:
            connect().download("audit", "export", into=out, **query)
        unfinished.replace(file)
    except OSError as exc:
        raise ConfigurationInvalid(f"{file} can't be written: {exc.strerror}") from exc
    finally:
        unfinished.unlink(missing_ok=True)
