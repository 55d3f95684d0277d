"""How a version of a prompt is named: `goal_to_intents@2`, `goal_to_intents@staging`, or what is in production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from reward_llm.cli.policy_display import Document
from reward_llm.domain.prompts import PRODUCTION

if TYPE_CHECKING:
    from reward_llm.cli.client import Client

NEWEST: Final = "newest"

PromptArgument = Annotated[
    str,
    typer.Argument(
        metavar="PROMPT",
        help="NAME@VERSION or NAME@LABEL; NAME alone is what is in production, NAME@newest the last.",
    ),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; the audit log keeps it.")]


def split(reference: str) -> tuple[str, str]:
    """The name, and which of its versions.

    >>> split("goal_to_intents@2"), split("goal_to_intents")
    (('goal_to_intents', '2'), ('goal_to_intents', 'production'))
    """
    name, _, which = reference.partition("@")
    return name, which or PRODUCTION


def find_number(client: Client, name: str, which: str) -> int:
    """The number of the version that is meant.

    Raises:
        ServiceRefused: If there is no such prompt or label.
    """
    if which.isascii() and which.isdigit():
        return int(which)
    if which == NEWEST:
        return int(client.get("prompts", name)["newest"]["version"])
    return int(client.get("prompts", name, "labels", which)["version"])


def find_version(client: Client, reference: str) -> Document:
    """The version that is meant.

    Raises:
        ServiceRefused: If there is none.
    """
    name, which = split(reference)
    found: Document = client.get("prompts", name, "versions", str(find_number(client, name, which)))
    return found
