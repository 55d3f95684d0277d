"""Previews and explanations as people see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from reward_llm.cli.output import bar, print_violations, table
from reward_llm.cli.policy_display import Document, labelled, scope_name
from reward_llm.cli.wording import Lang, say
from reward_llm.errors import Violation

_INTERVAL_CELLS: Final = 25
_INFLUENCE_CELLS: Final = 20
_NAMED: Final = 3
"""Utilities that are named for an item, of those that did most."""
_UNCHANGED: Final = 5e-7


def show_preview(to: Console, preview: Document, examples: int, lang: Lang) -> None:
    """What weights would change, and some of the slates."""
    facts = say("preview_of", lang, **_picked(preview, "requests", "size"), policy=preview["policy_id"])
    to.print(labelled("preview", f"{scope_name(preview)} · {facts}", lang))
    if preview["gate"]:
        to.print(Text(say("preview_gate", lang), "yellow"))
        print_violations(to, [Violation(**v) for v in preview["gate"]])
    to.print()
    to.print(_changes(preview, lang))
    to.print(Text(say("preview_basis", lang), "dim"))
    to.print()
    shares = {"changed": preview["changed_share"], "replaced": preview["replaced_share"]}
    to.print(say("preview_slates", lang, **shares))
    to.print(say("preview_score", lang, **preview["score"]))
    _show_ignored(to, preview["ignored"], lang)
    for example in preview["examples"][::-1][:examples]:
        to.print()
        to.print(Text(say("example_request", lang, request=example["request_id"]), "bold"))
        to.print(_example(example, lang))


def show_explanation(to: Console, explanation: Document, lang: Lang) -> None:
    """Why a slate is as it is."""
    to.print(labelled("request", explanation["request_id"], lang))
    to.print()
    rows = table(
        *(say(k, lang) for k in ("utility", "weight", "expected_value")),
        say("influence", lang),
        "",
        right=[say(k, lang) for k in ("weight", "expected_value", "influence")],
    )
    for name, weight in explanation["weights"].items():
        share = explanation["influence"][name]
        value = explanation["utilities"][name]
        drawn = bar(min(max(share, 0), 1), _INFLUENCE_CELLS)
        rows.add_row(Text(name), f"{weight:.3f}", f"{value:.3f}", _percent(share), drawn)
    to.print(rows)
    to.print()
    to.print(_items(explanation, lang))
    to.print(Text(say("explain_basis", lang), "dim"))
    _show_ignored(to, explanation["ignored"], lang)


def interval_bar(low: float, mean: float, high: float, reach: float, cells: int = _INTERVAL_CELLS) -> Text:
    """An interval around 0, which is in the middle; `reach` is what the ends stand for."""
    middle = cells // 2

    def cell(value: float) -> int:
        return middle + round(max(-1.0, min(1.0, value / reach if reach else 0)) * middle)

    drawn = ["·"] * cells
    drawn[cell(low) : cell(high) + 1] = "─" * (cell(high) - cell(low) + 1)
    drawn[middle] = "│"
    drawn[cell(mean)] = "●"
    return Text("".join(drawn), _style(low, high))


def movement(slot: int, was: int | None, lang: Lang) -> Text:
    """Where an item of the new slate came from: `in` from nowhere, up or down by so many slots."""
    if was is None:
        return Text(say("moved_in", lang), "green")
    return Text("=", "dim") if was == slot else _steps(was - slot)


def _steps(up: int) -> Text:
    return Text(f"▲{up}", "green") if up > 0 else Text(f"▼{-up}", "red")


def _changes(preview: Document, lang: Lang) -> Any:
    heading = say("interval", lang, confidence=preview["confidence"])
    numbers = [say(k, lang) for k in ("weight", "expected_value", "change", "influence")]
    rows = table(say("utility", lang), *numbers[:3], heading, numbers[3], right=numbers)
    reach = max((abs(c["change"][end]) for c in preview["changes"] for end in ("low", "high")), default=0.0)
    for change in preview["changes"]:
        name, interval = change["utility"], change["change"]
        rows.add_row(
            Text(name),
            f"{preview['now'][name]:.3f} → {preview['then'][name]:.3f}",
            f"{change['before']:.4f} → {change['after']:.4f}",
            _change(interval),
            interval_bar(interval["low"], interval["mean"], interval["high"], reach),
            f"{_percent(change['influence_before'])} → {_percent(change['influence_after'])}",
        )
    return rows


def _change(interval: Mapping[str, float]) -> Text:
    if abs(interval["mean"]) < _UNCHANGED:
        return Text("=", "dim")
    return Text(f"{interval['mean']:+.4f}", _style(interval["low"], interval["high"]))


def _percent(share: float) -> str:
    """In whole percents, and never `-0%`."""
    return f"{round(share * 100) or 0}%"


def _style(low: float, high: float) -> str:
    """Green or red where the direction is clear."""
    return "green" if low > 0 else "red" if high < 0 else "dim"


def _example(example: Document, lang: Lang) -> Any:
    slot = say("slot", lang)
    rows = table(slot, *(say(k, lang) for k in ("slate_before", "slate_after", "moved")), right=[slot])
    for place in range(max(len(example["before"]), len(example["after"]))):
        before, after = _at(example["before"], place), _at(example["after"], place)
        left = before is not None and before["was"] is None
        rows.add_row(
            str(place + 1),
            Text.assemble(_item(before, lang), (f" {say('moved_out', lang)}", "red") if left else ""),
            _item(after, lang),
            movement(place, after["was"], lang) if after else "",
        )
    return rows


def _at(slate: Sequence[Document], place: int) -> Document | None:
    return slate[place] if place < len(slate) else None


def _item(item: Document | None, lang: Lang) -> Text:
    if item is None:
        return Text("")
    facts = [item["seller"], item["category"]]
    facts += [f"{item['price']:g}"] if item["price"] else []
    facts += [say("is_new", lang, days=item["age_days"])] if item["age_days"] is not None else []
    return Text.assemble(item["item_id"], (f" {' '.join(filter(None, facts))}", "dim"))


def _items(explanation: Document, lang: Lang) -> Any:
    numbers = [say(k, lang) for k in ("slot", "worth")]
    rows = table(
        numbers[0], say("item", lang), numbers[1], say("worth_of", lang), say("moved_by", lang), right=numbers
    )
    for place, one in enumerate(explanation["items"]):
        parts = sorted(one["contributions"].items(), key=lambda part: -abs(part[1]))
        told = [f"{name} {value:+.3f}" for name, value in parts[:_NAMED] if abs(value) >= 5e-4]
        rows.add_row(
            str(place + 1),
            _item(one["item"], lang),
            f"{sum(one['contributions'].values()):+.3f}",
            Text("\n".join(told)),
            _movers(place, one["slot_without"], explanation["weights"], lang),
        )
    return rows


def _movers(place: int, slot_without: Mapping[str, int | None], weights: Mapping[str, float], lang: Lang) -> Text:
    """The utilities without which it would stand elsewhere, those that moved it furthest first."""
    moved = [(name, slot) for name, slot in slot_without.items() if weights[name] > 0 and slot != place]
    moved.sort(key=lambda one: -abs(one[1] - place) if one[1] is not None else -float("inf"))
    lines = [Text.assemble(f"{name} ", movement(place, slot, lang)) for name, slot in moved[:_NAMED]]
    return Text("\n").join(lines)


def _show_ignored(to: Console, names: Iterable[str], lang: Lang) -> None:
    if names:
        to.print(Text(say("not_measured", lang, names=", ".join(names)), "yellow"))


def _picked(document: Document, *names: str) -> dict[str, Any]:
    return {name: document[name] for name in names}
