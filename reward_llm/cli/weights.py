"""`reward-llm weights`: what is served now."""

from __future__ import annotations

from typing import Annotated

import typer

from reward_llm.cli.options import JsonOption, LangOption, SegmentOption
from reward_llm.cli.output import console, print_json
from reward_llm.cli.policy_display import show_served


def weights(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO")],
    *,
    segment: SegmentOption = None,
    unit: Annotated[
        str | None, typer.Option("--unit", help="Whom for, such as a user's id; else partial rollouts don't count.")
    ] = None,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Look up the weights that hold for a scenario or a segment now."""
    from reward_llm.cli.client import connect

    client = connect()
    answer = client.get("weights", scenario, segment=segment, unit=unit)
    if as_json:
        print_json(answer)
    else:
        show_served(console(), answer, lang)
