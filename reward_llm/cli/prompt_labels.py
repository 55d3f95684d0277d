"""`reward-llm prompts label`, `history` and `override`: which version is in production, and who said so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from reward_llm.cli.options import CursorOption, JsonOption, LangOption, LimitOption
from reward_llm.cli.output import console, print_json, print_next_page
from reward_llm.cli.prompt_display import move_table
from reward_llm.cli.prompt_references import PromptArgument, ReasonOption, find_number, find_version, split
from reward_llm.cli.wording import say
from reward_llm.domain.prompts import PRODUCTION
from reward_llm.errors import ServiceRefused

if TYPE_CHECKING:
    from reward_llm.cli.client import Client

PROMOTION_TIMEOUT_S: Final = 1_800.0
"""Longer than two golden sets may take to be read."""

LabelArgument = Annotated[str, typer.Argument(metavar="LABEL", help=f"{PRODUCTION}, staging, or a name of your own.")]


def add_to(app: typer.Typer) -> None:
    """Give the group these commands."""
    app.command()(label)
    app.command()(history)
    app.command()(override)


def label(
    prompt: PromptArgument,
    label: LabelArgument,
    *,
    reason: ReasonOption,
    revision: Annotated[
        int | None,
        typer.Option("--revision", min=0, help="Only if the label still has this revision; else as it is now."),
    ] = None,
    consent: Annotated[
        bool, typer.Option("--override", help=f"Consent to {PRODUCTION} falling short; another has to as well.")
    ] = False,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Put a label on a version; for production the version is measured first, and refused if it falls short."""
    from reward_llm.cli.client import connect

    client = connect()
    name, which = split(prompt)
    number = find_number(client, name, which)
    if revision is None:
        revision = _revision(client, name, label)
    sent = {"version": number, "reason": reason, "override": consent}
    measuring = say("measuring", lang, prompt=f"{name}@{number}")
    with Console(stderr=True).status(measuring if label == PRODUCTION else ""):
        moved = client.put(
            "prompts",
            name,
            "labels",
            label,
            document=sent,
            if_match=None if revision is None else str(revision),
            timeout_s=PROMOTION_TIMEOUT_S,
        )
    if as_json:
        print_json(moved)
    else:
        console().print(Text(say("now_labelled", lang, label=label, prompt=f"{name}@{moved['version']}")))


def history(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The prompt's name.")],
    label: Annotated[str, typer.Argument(metavar="[LABEL]")] = PRODUCTION,
    *,
    cursor: CursorOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Where a label stood, who moved it, why, and how the versions were measured; newest first."""
    from reward_llm.cli.client import connect

    page = connect().get("prompts", name, "labels", label, "history", cursor=cursor, limit=limit)
    if as_json:
        print_json(page)
        return
    console().print(move_table(page["items"], lang))
    print_next_page(page)


def override(
    prompt: PromptArgument,
    label: LabelArgument = PRODUCTION,
    *,
    reason: ReasonOption,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Consent to a version that falls short; two people have to, neither of them its author."""
    from reward_llm.cli.client import connect

    client = connect()
    version = find_version(client, prompt)
    where = ("prompts", version["name"], "labels", label, "overrides")
    sent = {"version": version["version"], "content_hash": version["content_hash"], "reason": reason}
    given = client.post(*where, document=sent)
    if as_json:
        print_json(given)
        return
    consents = client.get(*where, version=version["version"])["items"]
    names = ", ".join(consent["given_by"] for consent in consents)
    console().print(Text(say("consented", lang, prompt=version["id"], names=names)))


def _revision(client: Client, name: str, label: str) -> int | None:
    """The label's revision now, None if it is new."""
    try:
        return int(client.get("prompts", name, "labels", label)["revision"])
    except ServiceRefused as exc:
        if exc.problem.get("code") != "prompt_label_unknown":
            raise
        return None
