"""`reward-llm policies`: versions of weights, made by goals and by people."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from reward_llm.cli import policy_preview, policy_review, policy_schedule
from reward_llm.cli.filling import filled as _filled
from reward_llm.cli.groups import ListByDefault
from reward_llm.cli.options import CursorOption, JsonOption, LangOption, LimitOption, PolicyArgument, SegmentOption
from reward_llm.cli.output import console, print_json, print_next_page, table
from reward_llm.cli.policy_display import scope_name, show_next, show_policy
from reward_llm.cli.submit import named_numbers
from reward_llm.cli.wording import say

app = typer.Typer(cls=ListByDefault, help="Policies: immutable versions of weights, their reviews and schedules.")


@app.command("list")
def list_policies(
    *,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Of this scenario alone.")] = None,
    segment: SegmentOption = None,
    cursor: CursorOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Policies, newest first."""
    from reward_llm.cli.client import connect

    page = connect().get("policies", scenario=scenario, segment=segment, cursor=cursor, limit=limit)
    if as_json:
        print_json(page)
        return
    rows = table("policy", "scope", "version", "state", "author", "created", "origin", right=["version"])
    rows.columns[0].no_wrap = True
    for policy in page["items"]:
        rows.add_row(
            policy["policy_id"],
            Text(scope_name(policy)),
            str(policy["version"]),
            say(policy["state"], lang),
            Text(policy["author"]),
            policy["created_at"][:10],
            Text(policy["origin"]),
        )
    console().print(rows)
    print_next_page(page)


@app.command()
def show(policy: PolicyArgument, *, as_json: JsonOption = False, lang: LangOption) -> None:
    """One policy: how far it has come, and what it changes against the scenario's defaults."""
    from reward_llm.cli.client import connect

    client = connect()
    answer = client.get("policies", policy)
    if as_json:
        print_json(answer)
        return
    scenario = client.get("scenarios", answer["scenario"])
    defaults = {u["name"]: u["default"] for u in scenario["utilities"]}
    show_policy(console(), answer, defaults, scenario, lang)
    show_next(console(), answer, lang)


@app.command()
def edit(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="The scenario whose weights are set.")],
    weights: Annotated[list[str], typer.Argument(metavar="UTILITY=WEIGHT...", help="Weights that are set.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; the audit log keeps it.")],
    segment: SegmentOption = None,
    after: Annotated[
        str | None,
        typer.Option("--after", metavar="HASH", help="Refuse if the scope's newest policy has another content hash."),
    ] = None,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Make weights of one's own the next version.

    Utilities that aren't named share what is left, in proportion to their weights now.
    """
    from reward_llm.cli.client import connect

    client = connect()
    active = client.get("weights", scenario, segment=segment)["weights"]
    wanted = _filled(named_numbers(weights, "UTILITY=WEIGHT"), active)
    document = {"scenario": scenario, "segment": segment, "weights": wanted, "reason": reason}
    answer = client.post("policies", document=document, if_match=after)
    if as_json:
        print_json(answer)
        return
    show_policy(console(), answer, active, client.get("scenarios", scenario), lang)
    show_next(console(), answer, lang)


app.command()(policy_preview.preview)
app.command()(policy_review.request_review)
app.command()(policy_review.approve)
app.command()(policy_review.reject)
app.command()(policy_review.withdraw)
app.command()(policy_schedule.activate)
app.command()(policy_schedule.conflicts)
app.command()(policy_schedule.calendar)
app.command()(policy_schedule.change)
app.command()(policy_schedule.end)
