"""`reward-llm policies activate`, `conflicts`, `calendar`, `change`, `end`: when policies hold and for whom."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from reward_llm.cli.options import JsonOption, LangOption, PolicyArgument, ReasonOption, SegmentOption
from reward_llm.cli.output import console, print_json
from reward_llm.cli.policy_display import curl_line, scope_name
from reward_llm.cli.schedule_display import show_activations, show_calendar, window_text
from reward_llm.cli.wording import Lang, say

_PAGE: Final = 200

FromOption = Annotated[
    str | None, typer.Option("--from", help="The first moment, as 2026-06-18T00:00:00+08:00; now if left out.")
]
UntilOption = Annotated[str | None, typer.Option("--until", help="The first moment after; open if left out.")]
PercentOption = Annotated[
    float | None, typer.Option("--percent", help="The share of users that get it; everybody if left out.")
]
AcceptOption = Annotated[
    bool, typer.Option("--accept-conflicts", help="Even if it cuts into another policy's window, or is cut into.")
]
SequenceArgument = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="The activation's number.")]


def activate(
    policy: PolicyArgument,
    *,
    valid_from: FromOption = None,
    valid_until: UntilOption = None,
    percent: PercentOption = None,
    accept_conflicts: AcceptOption = False,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Put a policy into force for its scope, in a window or for a share of the users if one says so."""
    from reward_llm.cli.client import connect

    client = connect()
    document = {
        "from": valid_from,
        "until": valid_until,
        "percent": percent,
        "conflicts": _conflicts(accept_conflicts),
    }
    answer = client.post("policies", policy, "activation", document=document)
    if as_json:
        print_json(answer)
        return
    put, out = answer["policy"], console()
    done = say("activated_for", lang, policy=put["policy_id"], version=put["version"], scope=scope_name(put))
    out.print(f"{done} {window_text(answer, lang)}", soft_wrap=True)
    out.print(f"{say('to_look_up', lang)} {curl_line(client.url, put['scenario'], put['segment'])}", soft_wrap=True)
    undo = f'reward-llm policies end {answer["sequence"]} --reason "…"'
    out.print(f"{say('next_undo', lang)} {undo}", soft_wrap=True)


def conflicts(
    policy: PolicyArgument,
    *,
    valid_from: FromOption = None,
    valid_until: UntilOption = None,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Find the windows that an activation would cut into, before it is made."""
    from reward_llm.cli.client import connect

    answer = connect().get("policies", policy, "conflicts", **{"from": valid_from, "until": valid_until})
    if as_json:
        print_json(answer)
        return
    out = console()
    out.print(say("conflicting" if answer["items"] else "no_conflicts", lang))
    if answer["items"]:
        show_activations(out, [c["activation"] for c in answer["items"]], lang)


def calendar(
    *,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Of this scenario alone.")] = None,
    segment: SegmentOption = None,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How many days from now on are drawn.")] = 14,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """What is in force and what is to come, scope by scope, on a line of time."""
    from reward_llm.cli.client import connect

    open_ones = _open_activations(connect(), scenario, segment)
    if as_json:
        print_json({"items": open_ones})
    elif open_ones:
        show_calendar(console(), open_ones, days, lang)
    else:
        console().print(say("no_activations", lang))


def change(
    sequence: SequenceArgument,
    *,
    valid_from: FromOption = None,
    valid_until: Annotated[
        str | None, typer.Option("--until", help="Another first moment after; `open` for no end.")
    ] = None,
    percent: PercentOption = None,
    revision: Annotated[
        int | None, typer.Option("--revision", help="Refuse if it has another revision; the one now if left out.")
    ] = None,
    accept_conflicts: AcceptOption = False,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Change an activation's share of users, its end or, before it begins, its start."""
    from reward_llm.cli.client import connect

    client = connect()
    wanted = {"from": valid_from, "until": valid_until, "percent": percent}
    document: dict[str, Any] = {k: None if v == "open" else v for k, v in wanted.items() if v is not None}
    document["conflicts"] = _conflicts(accept_conflicts)
    known = revision or client.get("activations", str(sequence))["revision"]
    _show(client.patch("activations", str(sequence), document=document, if_match=str(known)), as_json, lang)


def end(sequence: SequenceArgument, *, reason: ReasonOption, as_json: JsonOption = False, lang: LangOption) -> None:
    """End an activation now, or call off one that hasn't begun."""
    from reward_llm.cli.client import connect

    _show(connect().post("activations", str(sequence), "end", document={"reason": reason}), as_json, lang)


def _conflicts(accept: bool) -> str:
    return "accept" if accept else "refuse"


def _open_activations(client: Any, scenario: str | None, segment: str | None) -> list[Any]:
    """The activations that are in force or to come, the last made first."""
    found, cursor = [], None
    while True:
        page = client.get("activations", scenario=scenario, segment=segment, cursor=cursor, limit=_PAGE)
        found += [a for a in page["items"] if a["state"] in {"running", "scheduled"}]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def _show(answer: Any, as_json: bool, lang: Lang) -> None:
    if as_json:
        print_json(answer)
        return
    state = say(answer["state"], lang)
    console().print(say("activation_now", lang, sequence=answer["sequence"], state=state))
    show_activations(console(), [answer], lang)
