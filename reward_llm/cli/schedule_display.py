"""Activations as people see them: in rows, and on a line of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

from rich.console import Console
from rich.text import Text

from reward_llm.cli.output import table
from reward_llm.cli.policy_display import EVERYBODY_PERCENT, Document, scope_name
from reward_llm.cli.wording import Lang, say

_LINE: Final = 28


def show_activations(to: Console, activations: Iterable[Document], lang: Lang) -> None:
    """One row an activation."""
    names = ("activation", "policy", "state", "rollout", "since", "through")
    rows = table(*(say(k, lang) for k in names), right=[say("activation", lang), say("rollout", lang)])
    rows.columns[1].no_wrap = True
    for activation in activations:
        rows.add_row(*_facts(activation, lang))
    to.print(rows)


def show_calendar(to: Console, activations: Sequence[Document], days: int, lang: Lang) -> None:
    """The activations of each scope, the one that wins first, on a line of so many days from now."""
    now = datetime.now(UTC)
    ordered = sorted(activations, key=lambda a: (a["start"], a["sequence"]), reverse=True)
    by_scope = sorted(ordered, key=_scope)
    for scope, own in groupby(by_scope, key=_scope):
        to.print(Text(scope, "bold"))
        names = ("activation", "policy", "state", "rollout", "since", "through")
        rows = table(
            *(say(k, lang) for k in names),
            f"{now:%m-%d} → {now + timedelta(days=days):%m-%d}",
            right=[say("activation", lang), say("rollout", lang)],
        )
        rows.columns[1].no_wrap = True
        for activation in own:
            rows.add_row(*_facts(activation, lang), _line(activation, now, days))
        to.print(rows)


def window_text(activation: Document, lang: Lang) -> str:
    """From when until when, and for whom if not for everybody.

    >>> window_text({"start": "2026-06-18T00:00:00Z", "end": None, "percent": 10.0}, Lang.EN)
    '2026-06-18T00:00 → open · 10%'
    """
    end = _minute(activation["end"]) if activation["end"] else say("open_end", lang)
    share = "" if activation["percent"] >= EVERYBODY_PERCENT else f" · {activation['percent']:g}%"
    return f"{_minute(activation['start'])} → {end}{share}"


def _facts(activation: Document, lang: Lang) -> tuple[str | Text, ...]:
    end = activation["end"]
    return (
        str(activation["sequence"]),
        activation["policy"]["policy_id"],
        say(activation["state"], lang),
        f"{activation['percent']:g}%",
        _minute(activation["start"]),
        _minute(end) if end else say("open_end", lang),
    )


def _line(activation: Document, now: datetime, days: int) -> Text:
    """The part of the days that the activation covers."""
    start, end = (_cell(activation[k], now, days) for k in ("start", "end"))
    cells = ("━" if start <= c < max(end, start + 1) else "·" for c in range(_LINE))
    return Text("".join(cells), "cyan" if activation["state"] == "running" else "green")


def _cell(moment: str | None, now: datetime, days: int) -> int:
    if moment is None:
        return _LINE
    share = (datetime.fromisoformat(moment) - now) / timedelta(days=days)
    return min(max(int(share * _LINE), 0), _LINE)


def _scope(activation: Document) -> str:
    return scope_name(activation["policy"])


def _minute(moment: str) -> str:
    return moment[:16]
