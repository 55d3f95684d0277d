"""`reward-llm scopes`: what holds where, rolling it back, and the kill switch."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from rich.text import Text

from reward_llm.cli.groups import ListByDefault
from reward_llm.cli.options import JsonOption, LangOption, ReasonOption, SegmentOption
from reward_llm.cli.output import console, print_json, table
from reward_llm.cli.policy_display import labelled, scope_name
from reward_llm.cli.schedule_display import show_activations
from reward_llm.cli.wording import Lang, say

app = typer.Typer(cls=ListByDefault, help="Scopes: what holds in a scenario or one of its segments.")

_WHOLE_SCENARIO: Final = "-"

ScenarioArgument = Annotated[str, typer.Argument(metavar="SCENARIO")]


@app.command("list")
def list_scopes(*, as_json: JsonOption = False, lang: LangOption) -> None:
    """What every scope serves now."""
    from reward_llm.cli.client import connect

    answer = connect().get("weights")
    if as_json:
        print_json(answer)
        return
    rows = table("scope", "policy", "version", "rule", "until", right=["version"])
    for served in answer["items"]:
        rows.add_row(
            Text(scope_name(served)),
            served["policy_id"],
            str(served["version"]),
            say(f"rule_{served['rule']}", lang),
            (served["valid_until"] or "")[:16],
        )
    console().print(rows)


@app.command()
def show(
    scenario: ScenarioArgument, *, segment: SegmentOption = None, as_json: JsonOption = False, lang: LangOption
) -> None:
    """What a scope serves, what lies below it, what is to come, and whether it is frozen."""
    from reward_llm.cli.client import connect

    answer = connect().get("scopes", scenario, segment or _WHOLE_SCENARIO)
    if as_json:
        print_json(answer)
    else:
        _show_scope(answer, lang)


@app.command()
def rollback(
    scenario: ScenarioArgument,
    *,
    reason: ReasonOption,
    segment: SegmentOption = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="POLICY", help="What is to hold instead; else what lies below.")
    ] = None,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """At once take what holds out of force; what lies below returns, or another policy holds."""
    from reward_llm.cli.client import connect

    stack = connect().get("scopes", scenario, segment or _WHOLE_SCENARIO)["stack"]
    seen = stack[0]["policy"]["policy_id"] if stack else None
    answer = _post(scenario, segment, "rollback", {"from_policy": seen, "to_policy": to, "reason": reason})
    if as_json:
        print_json(answer)
        return
    taken_out = ", ".join(dict.fromkeys(a["policy"]["policy_id"] for a in answer["ended"]))
    if taken_out:
        console().print(say("taken_out", lang, policies=taken_out))
    _show_scope(answer["scope"], lang)


@app.command()
def freeze(
    scenario: ScenarioArgument,
    *,
    reason: ReasonOption,
    segment: SegmentOption = None,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Serve the defaults, whatever is in force, until the scope is unfrozen."""
    _switch(scenario, segment, reason, frozen=True, as_json=as_json, lang=lang)


@app.command()
def unfreeze(
    scenario: ScenarioArgument,
    *,
    reason: ReasonOption,
    segment: SegmentOption = None,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Serve what is in force again."""
    _switch(scenario, segment, reason, frozen=False, as_json=as_json, lang=lang)


def _switch(scenario: str, segment: str | None, reason: str, *, frozen: bool, as_json: bool, lang: Lang) -> None:
    answer = _post(scenario, segment, "freeze", {"frozen": frozen, "reason": reason})
    if as_json:
        print_json(answer)
        return
    console().print(say("is_frozen" if answer["frozen"] else "is_not_frozen", lang, scope=scope_name(answer)))
    _show_freezes(answer, lang)


def _post(scenario: str, segment: str | None, name: str, document: dict[str, Any]) -> Any:
    from reward_llm.cli.client import connect

    return connect().post("scopes", scenario, segment or _WHOLE_SCENARIO, name, document=document)


def _show_scope(scope: Any, lang: Lang) -> None:
    out, served = console(), scope["served"]
    version, rule = say("version", lang, version=served["version"]), say(f"rule_{served['rule']}", lang)
    out.print(labelled("scope", scope_name(scope), lang))
    out.print(labelled("served", " · ".join([served["policy_id"], version, rule]), lang))
    _show_freezes(scope, lang)
    for key in ("stack", "inherited", "coming"):
        if scope[key]:
            out.print()
            out.print(Text(say(key, lang), "bold"))
            show_activations(out, scope[key], lang)


def _show_freezes(scope: Any, lang: Lang) -> None:
    for freeze in scope["frozen_by"]:
        said = say("frozen_line", lang, at=freeze["at"][:16], by=freeze["by"], reason=freeze["reason"])
        console().print(Text(f"{scope_name(freeze)}: {said}", "bold yellow"), soft_wrap=True)
