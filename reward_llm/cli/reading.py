"""A goal's reading as people see it: the text with its evidence, the intents, the weights, where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from reward_llm.cli.output import table
from reward_llm.cli.policy_display import (
    Document,
    approvals_text,
    curl_line,
    labelled,
    next_step,
    policy_line,
    scope_name,
    show_weights,
)
from reward_llm.cli.wording import Lang, say

_COLOURS: Final = ("cyan", "magenta", "green", "yellow", "blue", "red")
_ARROWS: Final = {"raise": "▲", "lower": "▼", "hold": "■"}
_SYMBOLS: Final = {"money": "{} {currency}", "percent": "{}%", "points": "{} pp", "multiple": "×{}", "count": "{}"}


def show_reading(to: Console, answer: Document, scenario: Document, lang: Lang, url: str) -> None:
    """Everything about a goal.

    Args:
        to: Where it is printed; about 100 columns wide, 80 at least.
        answer: What the service says of the goal.
        scenario: What it says of the goal's scenario.
        lang: The language of the words around them.
        url: Where the service is.
    """
    interpretation, proposal = answer["interpretation"], answer["proposal"]
    intents = interpretation["intents"] if interpretation else []
    to.print(_text_panel(answer, intents, lang))
    if interpretation is None or proposal is None:
        to.print(say("unread", lang))
        return
    to.print(_intent_table(intents, lang) if intents else Text(say("nothing_asked", lang)))
    if answer["dates"]:
        to.print(labelled("dates", ", ".join(map(dated, answer["dates"])), lang))
    for notice in interpretation["notices"]:
        to.print(Text(f"! {notice['message']}", "yellow"))
    if proposal["review"]:
        _show_review(to, proposal, lang)
    to.print()
    show_weights(to, proposal["previous_weights"], proposal["weights"], scenario["utilities"], lang)
    _show_provenance(to, proposal, lang)
    _show_next(to, answer, lang, url)


def _text_panel(answer: Document, intents: Sequence[Document], lang: Lang) -> Panel:
    title = f"{say('goal', lang)} {answer['id']} · {scope_name(answer)} · {say(answer['state'], lang)}"
    body = highlighted(answer["text"], intents)
    if intents:
        body.append("\n\n")
        body.append_text(_legend(intents, lang))
    return Panel(body, title=Text(title), title_align="left")


def highlighted(text: str, intents: Sequence[Document]) -> Text:
    """The text with each intent's evidence in its colour, followed by its number in brackets.

    The numbers are there for those who see no colours.
    """
    shown = Text(text)
    marks: list[tuple[int, str, str]] = []
    for number, intent in enumerate(intents, 1):
        for span in intent["spans"]:
            shown.stylize(f"bold underline {_colour(number)}", span["start"], span["end"])
            marks.append((span["end"], f"[{number}]", _colour(number)))
    pieces = shown.divide([end for end, _, _ in sorted(marks)])
    result = Text()
    for piece, mark in zip(pieces, [*sorted(marks), None], strict=True):
        result.append_text(piece)
        if mark:
            result.append(mark[1], mark[2])
    return result


def _legend(intents: Sequence[Document], lang: Lang) -> Text:
    entries = [
        Text(f"[{n}] {i['utility']} {_ARROWS[i['direction']]} {say(i['direction'], lang)}", _colour(n))
        for n, i in enumerate(intents, 1)
    ]
    return Text("   ").join(entries)


def _intent_table(intents: Sequence[Document], lang: Lang) -> Padding:
    names = ("utility", "direction", "emphasis", "role", "target", "evidence", "confidence", "read_by")
    rows = table("", *(say(k, lang) for k in names), right=[say("confidence", lang)])
    for column in rows.columns:
        column.no_wrap = column.header not in {say("target", lang), say("evidence", lang)}
    for n, intent in enumerate(intents, 1):
        confidence = intent["confidence"]
        rows.add_row(
            Text(str(n), _colour(n)),
            Text(intent["utility"], f"bold {_colour(n)}"),
            f"{_ARROWS[intent['direction']]} {say(intent['direction'], lang)}",
            say(intent["emphasis"], lang),
            say(intent["role"], lang),
            quantity(intent["target"]),
            Text(", ".join(s["text"] for s in intent["spans"]) or "–"),
            "–" if confidence is None else f"{confidence:.2f}",
            say(intent["read_by"], lang),
        )
    return Padding(rows, (1, 0, 0, 0))


def _show_review(to: Console, proposal: Document, lang: Lang) -> None:
    """Why the reading needs a person, and what else the goal may mean."""
    review = proposal["review"]
    numbers = {"confidence": proposal["confidence"], "threshold": review["threshold"]}
    to.print(Text(f"? {say(review['reason'], lang, **numbers)}", "bold yellow"))
    for alternative in review["alternatives"]:
        words = " · ".join(
            f"{i['utility']} {_ARROWS[i['direction']]} {say(i['direction'], lang)} ({say(i['emphasis'], lang)})"
            for i in alternative["intents"]
        )
        shown = f"{words or say('no_change', lang)}  {alternative['probability']:.2f}"
        to.print(Padding(labelled("or_read_as", shown, lang), (0, 0, 0, 2)))


def quantity(target: Document | None) -> str:
    """A number with its unit.

    >>> quantity({"value": 0.65, "unit": "percent", "currency": None})
    '65%'
    """
    if target is None:
        return "–"
    unit, value = target["unit"], target["value"]
    scaled = round(value * 100, 8) if unit in {"percent", "points"} else value
    digits = f"{scaled:,.0f}" if scaled == int(scaled) else f"{scaled:,.6g}"
    return str(_SYMBOLS[unit]).format(digits, currency=target.get("currency") or "").strip()


def dated(date: Document) -> str:
    """The words that name a date, with the days that they mean.

    >>> dated({"valid_from": None, "valid_until": "2026-06-19T00:00:00Z", "span": {"text": "by June 18"}})
    'by June 18 (… → 2026-06-19)'
    """
    since, until = ((date[k] or "…")[:10] for k in ("valid_from", "valid_until"))
    return f"{date['span']['text']} ({since} → {until})"


def _show_provenance(to: Console, proposal: Document, lang: Lang) -> None:
    read_with = [proposal[k] for k in ("model", "prompt") if proposal.get(k)]
    to.print()
    to.print(labelled("source", " · ".join([say(proposal["source"], lang), *read_with]), lang))
    if proposal["reason"]:
        to.print(Text(say("fallback", lang, reason=proposal["reason"]), "yellow"))
    if proposal["prompt_reason"]:
        to.print(Text(say("packaged_prompt", lang, reason=proposal["prompt_reason"]), "yellow"))
    to.print(labelled("policy", policy_line(proposal, lang), lang))


def _show_next(to: Console, answer: Document, lang: Lang, url: str) -> None:
    steps = [f"{say('to_look_up', lang)} {curl_line(url, answer['scenario'], answer['segment'])}"]
    if answer["state"] == "proposed":
        proposal = answer["proposal"]
        if proposal["requirement"] and proposal["requirement"]["approvals"]:
            to.print(labelled("review", approvals_text(proposal["requirement"], lang), lang))
        steps.insert(0, next_step(proposal["policy_id"], proposal["requirement"], lang))
    for step in steps:
        to.print(labelled("next", step, lang), soft_wrap=True)


def _colour(number: int) -> str:
    return _COLOURS[(number - 1) % len(_COLOURS)]
