"""`reward-llm metrics`: what came of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from reward_llm.cli.options import JsonOption, LangOption, SegmentOption
from reward_llm.cli.output import console, print_json, table
from reward_llm.cli.policy_display import labelled, scope_name
from reward_llm.cli.wording import Lang, say

_PERCENT = frozenset({"ctr", "cold_start_share", "cold_start_success", "next_day_retention"})


def metrics(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="The scenario.")],
    *,
    segment: SegmentOption = None,
    policy: Annotated[str | None, typer.Option("--policy", help="Events of this policy's slates alone.")] = None,
    window: Annotated[str, typer.Option("--window", help="One minute to thirty days: 1m, 6h, 30d.")] = "1h",
    until: Annotated[
        str | None, typer.Option("--until", help="When the window ends, such as 2026-06-18T12:00:00Z; else now.")
    ] = None,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Measure what came of the weights, from the events that were sent in."""
    from reward_llm.cli.client import connect

    query = {"scenario": scenario, "segment": segment, "policy_id": policy, "window": window, "until": until}
    answer = connect().get("metrics", "online", **query)
    if as_json:
        print_json(answer)
    else:
        _show(console(), answer, lang)


def _show(to: Console, answer: Mapping[str, Any], lang: Lang) -> None:
    if answer["newest"] is None:
        to.print(Text(say("measured_nothing", lang, scenario=answer["scenario"])))
        return
    about = {"scope": scope_name(answer), "window": answer["window"], "until": answer["until"]}
    to.print(labelled("online_metrics", say("measured", lang, **about), lang))
    to.print()
    names = [say(key, lang) for key in ("metric", "measured_value", "measured_events")]
    interval = say("measured_interval", lang, confidence=answer["confidence"])
    rows = table(names[0], names[1], interval, names[2], right=(names[1], interval, names[2]))
    for name, found in answer["metrics"].items():
        shown = [measured_text(name, found[end]) for end in ("value", "low", "high")]
        between = "–" if found["low"] is None else f"{shown[1]} … {shown[2]}"
        rows.add_row(say(f"metric_{name}", lang), shown[0], between, f"{found['events']:,}")
    to.print(rows)
    if answer["policies"]:
        to.print(Text(say("measured_policies", lang, policies=", ".join(answer["policies"])), "dim"), soft_wrap=True)
    if answer["share"] < 1:
        to.print(Text(say("measured_share", lang, share=answer["share"]), "dim"))
    to.print(Text(say("measured_newest", lang, moment=answer["newest"]), "dim"))


def measured_text(metric: str, value: float | None) -> str:
    """A metric's value; a share reads as per cent."""
    if value is None:
        return "–"
    return f"{value:.2%}" if metric in _PERCENT else f"{value:,.3f}" if abs(value) < 100 else f"{value:,.0f}"
