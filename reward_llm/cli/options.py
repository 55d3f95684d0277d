"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from reward_llm.cli.wording import Lang, system_lang

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
LangOption = Annotated[
    Lang,
    typer.Option(
        "--lang",
        envvar="REWARD_LLM_LANG",
        default_factory=system_lang,
        show_default="from LANG",
        help="The language of the display.",
    ),
]
PolicyArgument = Annotated[str, typer.Argument(metavar="ID", help="The policy's id.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; the audit log keeps it.")]
SegmentOption = Annotated[str | None, typer.Option("--segment", help="A segment of the scenario.")]
CursorOption = Annotated[str | None, typer.Option("--cursor", help="Go on where the last page ended.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=200, help="How many at most.")]
