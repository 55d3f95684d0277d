"""`reward-llm controllers`: a weight that follows a metric, within what people granted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from reward_llm.cli.groups import ListByDefault
from reward_llm.cli.options import CursorOption, JsonOption, LangOption, LimitOption, ReasonOption
from reward_llm.cli.output import bar, console, print_json, print_next_page, table
from reward_llm.cli.policy_display import labelled, scope_name
from reward_llm.cli.wording import Lang, say

app = typer.Typer(cls=ListByDefault, help="Controllers: hold a metric by moving one weight within an envelope.")

_BAR_CELLS: Final = 20

ControllerArgument = Annotated[str, typer.Argument(metavar="ID", help="The controller's id.")]


@app.command("list")
def list_controllers(
    *,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Of this scenario alone.")] = None,
    state: Annotated[
        str | None, typer.Option("--state", help="proposed, running, paused, overtaken or ended.")
    ] = None,
    cursor: CursorOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Controllers, newest first."""
    from reward_llm.cli.client import connect

    page = connect().get("controllers", scenario=scenario, state=state, cursor=cursor, limit=limit)
    if as_json:
        print_json(page)
        return
    if not page["items"]:
        console().print(Text(say("controller_none", lang)))
        return
    names = [say(key, lang) for key in ("controller", "controller_state", "scope", "controller_holds", "utility")]
    rows = table(*names)
    for one in page["items"]:
        shown = say(f"controller_{one['state']}", lang)
        rows.add_row(one["id"], shown, Text(scope_name(one)), _target(one, lang), one["utility"])
    console().print(rows)
    print_next_page(page)


@app.command()
def show(
    controller: ControllerArgument,
    *,
    readings: Annotated[int, typer.Option("--readings", min=0, max=1_000, help="How many of its last looks.")] = 20,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """One controller, and what it saw and did last."""
    from reward_llm.cli.client import connect

    _print(connect().get("controllers", controller, readings=readings), as_json=as_json, lang=lang)


@app.command()
def create(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The plan, in YAML or JSON.")
    ],
    *,
    reason: ReasonOption,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Propose a controller on the policy in force; it runs once enough people have approved."""
    import yaml

    from reward_llm.cli.client import connect
    from reward_llm.errors import InvalidInput

    try:
        plan = yaml.safe_load(file.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise InvalidInput(f"{file} can't be read: {exc}") from exc
    if not isinstance(plan, dict):
        raise InvalidInput(f"{file} holds no plan")
    sent = _plain({**plan, "reason": reason})
    _print(connect().post("controllers", document=sent), as_json=as_json, lang=lang)


@app.command()
def approve(
    controller: ControllerArgument,
    *,
    comment: Annotated[str, typer.Option("--comment", help="For the audit log.")] = "",
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Grant a controller as it stands now; with the last approval that is needed it starts."""
    from reward_llm.cli.client import connect

    client = connect()
    seen = client.get("controllers", controller, readings=0)
    sent = {"content_hash": seen["content_hash"], "comment": comment}
    _print(client.post("controllers", controller, "approval", document=sent), as_json=as_json, lang=lang)


@app.command()
def pause(
    controller: ControllerArgument, *, reason: ReasonOption, as_json: JsonOption = False, lang: LangOption
) -> None:
    """Have a controller leave the weight as it is."""
    _do(controller, "pause", reason, as_json=as_json, lang=lang)


@app.command()
def resume(
    controller: ControllerArgument, *, reason: ReasonOption, as_json: JsonOption = False, lang: LangOption
) -> None:
    """Have it go on from the weight in force."""
    _do(controller, "resume", reason, as_json=as_json, lang=lang)


@app.command()
def end(
    controller: ControllerArgument, *, reason: ReasonOption, as_json: JsonOption = False, lang: LangOption
) -> None:
    """End it for good; the weights in force stay."""
    _do(controller, "end", reason, as_json=as_json, lang=lang)


def _do(controller: str, what: str, reason: str, *, as_json: bool, lang: Lang) -> None:
    from reward_llm.cli.client import connect

    answer = connect().post("controllers", controller, what, document={"reason": reason})
    _print(answer, as_json=as_json, lang=lang)


def _print(one: Mapping[str, Any], *, as_json: bool, lang: Lang) -> None:
    if as_json:
        print_json(one)
        return
    out, plan = console(), one["plan"]
    out.print(labelled("controller", " · ".join(filter(None, [one["id"], one["name"]])), lang))
    state = say(f"controller_{one['state']}", lang)
    out.print(labelled("controller_state", " · ".join(filter(None, [state, one["note"]])), lang), soft_wrap=True)
    out.print(labelled("scope", scope_name(one), lang))
    out.print(labelled("controller_holds", _target(one, lang), lang))
    envelope = plan["envelope"]
    limits = say(
        "controller_limits",
        lang,
        utility=one["utility"],
        low=envelope["min"],
        high=envelope["max"],
        slew=plan["slew"],
        period=plan["period_s"],
        band=plan["dead_band"],
        stale=plan["stale_after_s"],
    )
    out.print(Text(limits), soft_wrap=True)
    if one["approvals_missing"]:
        missing = say("controller_missing", lang, count=one["approvals_missing"], why="; ".join(one["reasons"]))
        out.print(Text(missing, "yellow"), soft_wrap=True)
    if one.get("readings"):
        out.print()
        _print_readings(one, lang)


def _print_readings(one: Mapping[str, Any], lang: Lang) -> None:
    keys = ("controller_at", "measured_value", "controller_setpoint", "weight", "controller_did")
    names = [say(key, lang) for key in keys]
    rows = table(names[0], names[1], names[2], names[3], "", names[4], right=names[1:4])
    high = one["plan"]["envelope"]["max"]
    for reading in one["readings"]:
        did = say(f"held_{reading['held']}", lang) if reading["held"] else reading["policy_id"]
        rows.add_row(
            reading["at"][:19],
            _number(reading["measured"]),
            _number(reading["setpoint"]),
            f"{reading['weight']:.4f}",
            bar(min(1.0, reading["weight"] / high), _BAR_CELLS),
            Text(did),
        )
    console().print(rows)


def _target(one: Mapping[str, Any], lang: Lang) -> str:
    target, metric = one["plan"]["target"], say(f"metric_{one['metric']}", lang)
    if one["kind"] == "exposure":
        return f"{metric} = {target['setpoint']:g} ({target['window']})"
    return f"{metric}: {target['amount']:,g} ({target['since'][:16]} – {target['until'][:16]})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document in JSON's own types; YAML reads moments as such."""
    import json
    from datetime import date

    def said(value: object) -> str:
        return value.isoformat() if isinstance(value, date) else str(value)

    made: dict[str, Any] = json.loads(json.dumps(dict(document), default=said))
    return made
