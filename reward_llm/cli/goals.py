"""`reward-llm goals`: what was submitted."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from reward_llm.cli.groups import ListByDefault
from reward_llm.cli.options import CursorOption, JsonOption, LangOption, LimitOption
from reward_llm.cli.output import console, print_json, print_next_page, shortened, table
from reward_llm.cli.policy_display import scope_name
from reward_llm.cli.reading import show_reading

app = typer.Typer(cls=ListByDefault, help="Goals that were submitted.")


@app.command("list")
def list_goals(
    *,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Of this scenario alone.")] = None,
    state: Annotated[
        str | None, typer.Option("--state", help="received, proposed, no_change or activated alone.")
    ] = None,
    cursor: CursorOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """Goals, newest first."""
    from reward_llm.cli.client import connect

    page = connect().get("goals", scenario=scenario, state=state, cursor=cursor, limit=limit)
    if as_json:
        print_json(page)
        return
    rows = table("goal", "scope", "state", "submitted", "text")
    rows.columns[0].no_wrap = True
    for goal in page["items"]:
        rows.add_row(
            goal["id"], Text(scope_name(goal)), goal["state"], goal["submitted_at"][:16], shortened(goal["text"], 40)
        )
    console().print(rows)
    print_next_page(page)


@app.command()
def show(
    goal: Annotated[str, typer.Argument(metavar="ID", help="The goal's id.")],
    *,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """One goal: its reading and its proposal."""
    from reward_llm.cli.client import connect

    client = connect()
    answer = client.get("goals", goal)
    if as_json:
        print_json(answer)
        return
    show_reading(console(), answer, client.get("scenarios", answer["scenario"]), lang, client.url)


@app.command()
def outcomes(
    goal: Annotated[str, typer.Argument(metavar="ID", help="The goal's id.")],
    *,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """What was predicted of a goal's weights, and what came of them."""
    from reward_llm.cli.client import connect
    from reward_llm.cli.memory_display import show_outcomes

    answer = connect().get("goals", goal, "outcomes")
    if as_json:
        print_json(answer)
        return
    show_outcomes(console(), answer, lang)
