"""`reward-llm policies`: versions of weights, made by goals and by people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer
from rich.text import Text

from reward_llm.cli.groups import ListByDefault
from reward_llm.cli.options import CursorOption, JsonOption, LangOption, LimitOption, SegmentOption
from reward_llm.cli.output import console, print_json, print_next_page, table
from reward_llm.cli.policy_display import curl_line, scope_name, show_policy
from reward_llm.cli.submit import named_numbers
from reward_llm.domain.weights import Weights

app = typer.Typer(cls=ListByDefault, help="Policies: immutable versions of weights.")

PolicyArgument = Annotated[str, typer.Argument(metavar="ID", help="The policy's id.")]


@app.command("list")
def list_policies(
    *,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Of this scenario alone.")] = None,
    segment: SegmentOption = None,
    cursor: CursorOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """Policies, newest first."""
    from reward_llm.cli.client import connect

    page = connect().get("policies", scenario=scenario, segment=segment, cursor=cursor, limit=limit)
    if as_json:
        print_json(page)
        return
    rows = table("policy", "scope", "version", "source", "created", "origin", right=["version"])
    for policy in page["items"]:
        rows.add_row(
            policy["policy_id"],
            Text(scope_name(policy)),
            str(policy["version"]),
            policy["source"],
            policy["created_at"][:16],
            Text(policy["origin"]),
        )
    console().print(rows)
    print_next_page(page)


@app.command()
def show(policy: PolicyArgument, *, as_json: JsonOption = False, lang: LangOption) -> None:
    """One policy and what it changes against the scenario's defaults."""
    from reward_llm.cli.client import connect

    client = connect()
    answer = client.get("policies", policy)
    if as_json:
        print_json(answer)
        return
    scenario = client.get("scenarios", answer["scenario"])
    defaults = {u["name"]: u["default"] for u in scenario["utilities"]}
    show_policy(console(), answer, defaults, scenario, lang)


@app.command()
def edit(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="The scenario whose weights are set.")],
    weights: Annotated[list[str], typer.Argument(metavar="UTILITY=WEIGHT...", help="Weights that are set.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; the audit log keeps it.")],
    segment: SegmentOption = None,
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
    answer = client.post(
        "policies", document={"scenario": scenario, "segment": segment, "weights": wanted, "reason": reason}
    )
    if as_json:
        print_json(answer)
        return
    show_policy(console(), answer, active, client.get("scenarios", scenario), lang)
    console().print(f"put into force: reward-llm policies activate {answer['policy_id']}", soft_wrap=True)


@app.command()
def activate(
    policy: PolicyArgument,
    *,
    valid_from: Annotated[
        str | None, typer.Option("--from", help="The first moment, as 2026-06-18T00:00:00+08:00; now if left out.")
    ] = None,
    valid_until: Annotated[
        str | None, typer.Option("--until", help="The first moment after; open if left out.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put a policy into force for its scope; an earlier one is rolled back to in the same way."""
    from reward_llm.cli.client import connect

    client = connect()
    answer = client.post("policies", policy, "activation", document={"from": valid_from, "until": valid_until})
    if as_json:
        print_json(answer)
        return
    put = answer["policy"]
    window = " ".join(f"{side} {answer[side]}" for side in ("from", "until") if answer[side])
    out = console()
    out.print(f"{put['policy_id']} (version {put['version']}) is activated for {scope_name(put)} {window}".rstrip())
    out.print(f"look up: {curl_line(client.url, put['scenario'], put['segment'])}", soft_wrap=True)


def _filled(named: Mapping[str, float], active: Mapping[str, float]) -> dict[str, float]:
    """The named weights, and the others scaled so that all add up to 1.

    Raises:
        WeightsInvalid: If there is no such scaling.
    """
    others = {u: w for u, w in active.items() if u not in named}
    total = sum(others.values())
    share = max(1 - sum(named.values()), 0.0) / total if total else 0.0
    return dict(Weights.rounded({**{u: w * share for u, w in others.items()}, **named}))
