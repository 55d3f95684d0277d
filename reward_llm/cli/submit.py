"""`reward-llm submit`: a goal in, its reading out."""

from __future__ import annotations

import math
import os
import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from reward_llm.cli.options import JsonOption, LangOption, SegmentOption
from reward_llm.cli.output import console, print_json
from reward_llm.cli.policy_display import Document, missing_approvals
from reward_llm.cli.reading import show_reading
from reward_llm.cli.wording import Lang, say
from reward_llm.errors import ReviewNeeded

if TYPE_CHECKING:
    from reward_llm.cli.client import Client


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
    yes: Annotated[bool, typer.Option("--yes", help="Also one that needs a person's look, without asking.")] = False,
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
    wanted = activate and answer["state"] == "proposed"
    missing = missing_approvals(answer["proposal"]["requirement"]) if wanted else 0
    doubtful = wanted and not missing and answer["proposal"]["needs_review"] and not yes
    if wanted and not (missing or doubtful):
        _activate(client, answer)
        answer = client.get("goals", answer["id"])
    if as_json:
        print_json(answer)
    else:
        show_reading(console(), answer, client.get("scenarios", scenario), lang, client.url)
    if missing:
        _ask_for_approvals(client, answer)
    elif doubtful:
        _ask_and_activate(client, answer, lang, may_ask=not as_json and sys.stdin.isatty())
    elif activate and not wanted and not as_json:
        console().print(say("nothing_to_activate", lang))


def _ask_for_approvals(client: Client, answer: Document) -> NoReturn:
    """Request a review of a proposal that others must approve, and say what they and the sender do next.

    Raises:
        ReviewNeeded: Always, because it isn't activated.
    """
    policy, required = answer["proposal"]["policy_id"], answer["proposal"]["requirement"]
    client.post("policies", policy, "review-request", document={})
    raise ReviewNeeded(
        f"{policy} is not activated: it has {required['given']} of {required['approvals']} approvals "
        f"({'; '.join(required['reasons'])}); a review is requested",
        hint=f"A reviewer approves it with `reward-llm policies approve {policy}`; then activate it with "
        f"`reward-llm policies activate {policy}`.",
    )


def _activate(client: Client, answer: Document) -> None:
    client.post("policies", answer["proposal"]["policy_id"], "activation", document={})


def _ask_and_activate(client: Client, answer: Document, lang: Lang, *, may_ask: bool) -> None:
    """Activate a proposal that needs a person, if the person who sits there says so.

    Raises:
        ReviewNeeded: If nobody can be asked.
    """
    policy = answer["proposal"]["policy_id"]
    if not may_ask:
        raise ReviewNeeded(
            f"{policy} is not activated: its reading needs a person",
            hint=f"Look at it with `reward-llm goals show {answer['id']}`, then activate it with "
            f"`reward-llm policies activate {policy}`; `submit --activate --yes` doesn't ask.",
        )
    if typer.confirm(say("activate_anyway", lang)):
        _activate(client, answer)
        console().print(say("now_activated", lang, policy=policy))
    else:
        console().print(say("not_activated", lang))


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
