"""`reward-llm policies preview`: what weights would change, before anybody is served them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console

from reward_llm.cli.filling import filled
from reward_llm.cli.options import JsonOption, LangOption, SegmentOption
from reward_llm.cli.output import console, print_json
from reward_llm.cli.ranking_display import show_preview
from reward_llm.cli.submit import named_numbers
from reward_llm.cli.wording import say

if TYPE_CHECKING:
    from reward_llm.cli.client import Client

_POLICY: Final = "pol_"


def preview(
    subject: Annotated[
        str, typer.Argument(metavar="POLICY|SCENARIO", help="The policy to try; or a scenario, with weights for it.")
    ],
    weights: Annotated[
        list[str] | None, typer.Argument(metavar="[UTILITY=WEIGHT...]", help="Weights to try.")
    ] = None,
    *,
    segment: SegmentOption = None,
    examples: Annotated[
        int, typer.Option("--examples", min=0, help="Slates to show, those that change most first.")
    ] = 1,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Show what weights would change on logged requests, against those in force.

    Utilities that aren't named share what is left, in proportion to their weights now.
    """
    from reward_llm.cli.client import connect

    client = connect()
    sent = _policys(client, subject, weights) or _named(client, subject, segment, weights or [])
    with Console(stderr=True).status(say("previewing", lang)):
        answer = client.post("policies", "preview", document=sent)
    if as_json:
        print_json(answer)
    else:
        show_preview(console(), answer, examples, lang)


def _policys(client: Client, subject: str, weights: list[str] | None) -> dict[str, Any] | None:
    """The scope and the weights of a policy; None if the subject isn't one."""
    if not subject.startswith(_POLICY):
        return None
    if weights:
        raise typer.BadParameter(
            "a policy has weights already; name its scenario instead", param_hint="UTILITY=WEIGHT"
        )
    policy = client.get("policies", subject)
    return {name: policy[name] for name in ("scenario", "segment", "weights")}


def _named(client: Client, scenario: str, segment: str | None, weights: list[str]) -> dict[str, Any]:
    if not weights:
        raise typer.BadParameter("name some weights to try, such as gmv=0.3", param_hint="UTILITY=WEIGHT")
    active = client.get("weights", scenario, segment=segment)["weights"]
    wanted = filled(named_numbers(weights, "UTILITY=WEIGHT"), active)
    return {"scenario": scenario, "segment": segment, "weights": wanted}
