"""`reward-llm submit`: a goal in, its reading out."""

from __future__ import annotations

import math
import os
import sys
from typing import Annotated

import typer

from reward_llm.cli.options import JsonOption, LangOption, SegmentOption
from reward_llm.cli.output import console, print_json
from reward_llm.cli.reading import show_reading
from reward_llm.cli.wording import say


def submit(
    text: Annotated[str, typer.Argument(help="The goal, in Chinese or English; `-` reads it from standard input.")],
    *,
    scenario: Annotated[str, typer.Option("--scenario", help="The scenario that the goal is for.")] = "home_feed",
    segment: SegmentOption = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="UTILITY=VALUE", help="A number beside the text; repeatable."),
    ] = None,
    activate: Annotated[bool, typer.Option("--activate", help="Put the proposal into force at once.")] = False,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Submit a business goal and show what it was read as."""
    from reward_llm.cli.client import connect

    goal = {
        "scenario": scenario,
        "segment": segment,
        "text": _goal_text(text),
        "targets": named_numbers(target or [], "--target"),
    }
    client = connect()
    answer = client.post("goals", document=goal)
    if answer["state"] == "received":
        answer = client.get("goals", answer["id"])
    activated = activate and answer["state"] == "proposed"
    if activated:
        client.post("policies", answer["proposal"]["policy_id"], "activation", document={})
        answer = client.get("goals", answer["id"])
    if as_json:
        print_json(answer)
        return
    show_reading(console(), answer, client.get("scenarios", scenario), lang, client.url)
    if activate and not activated:
        console().print(say("nothing_to_activate", lang))


def _goal_text(argument: str) -> str:
    written = sys.stdin.buffer.read() if argument == "-" else os.fsencode(argument)
    try:
        return written.decode("utf-8")
    except UnicodeDecodeError:
        raise typer.BadParameter("the goal isn't UTF-8 text", param_hint="TEXT") from None


def named_numbers(pairs: list[str], parameter: str) -> dict[str, float]:
    """The numbers of `name=value` pairs; a value may be written as in a goal, such as 1亿 or 65%.

    Raises:
        BadParameter: If a pair isn't one, or a name comes twice.
    """
    numbers: dict[str, float] = {}
    for pair in pairs:
        name, _, written = pair.partition("=")
        value = _number(written)
        if not name or value is None:
            raise typer.BadParameter(f"{pair!r} isn't NAME=NUMBER", param_hint=parameter)
        if name in numbers:
            raise typer.BadParameter(f"{name!r} is there twice", param_hint=parameter)
        numbers[name] = value
    return numbers


def _number(written: str) -> float | None:
    try:
        value = float(written)
        return value if math.isfinite(value) else None
    except ValueError:
        from reward_llm.reading.numbers import find_quantities

        found = find_quantities(written)
        return found[0].value if len(found) == 1 else None
