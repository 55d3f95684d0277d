"""`reward-llm weights`: what is served now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from reward_llm.cli.options import JsonOption, LangOption, SegmentOption
from reward_llm.cli.output import console, print_json, table
from reward_llm.cli.policy_display import scope_name, show_served
from reward_llm.cli.wording import Lang, say


def weights(
    scenario: Annotated[
        str | None, typer.Argument(metavar="[SCENARIO]", help="Everything that is served if left out.")
    ] = None,
    *,
    segment: SegmentOption = None,
    unit: Annotated[
        str | None, typer.Option("--unit", help="Whom for, such as a user's id; else partial rollouts don't count.")
    ] = None,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Look up the weights that hold for a scenario or a segment now, or everything that is served.

    All of it as --json is a snapshot, from which a client can start while no service can be reached.
    """
    from reward_llm.cli.client import connect

    if scenario is None and (segment or unit):
        raise typer.BadParameter("there is no SCENARIO that it belongs to", param_hint="--segment or --unit")
    answer = connect().get("weights", *([scenario] if scenario else []), segment=segment, unit=unit)
    if as_json:
        print_json(answer)
    elif scenario is None:
        _show_snapshot(console(), answer, lang)
    else:
        show_served(console(), answer, lang)


def _show_snapshot(to: Console, snapshot: Mapping[str, Any], lang: Lang) -> None:
    headings = [say(k, lang) for k in ("scope", "policy", "version_number", "source", "weights")]
    rows = table(*headings, right=[headings[2]])
    for item in snapshot["items"]:
        source = say("rule_frozen" if item["frozen"] else item["source"], lang)
        until = f" {say('until', lang, moment=item['valid_until'])}" if item["valid_until"] else ""
        named = ", ".join(f"{u} {w:.2f}" for u, w in item["weights"].items())
        rows.add_row(scope_name(item), item["policy_id"], str(item["version"]), source, Text(named + until))
    to.print(rows)
    if snapshot["stale"]:
        to.print(Text(say("stale", lang, age=f"{snapshot['age_s']:.0f}"), "yellow"))
