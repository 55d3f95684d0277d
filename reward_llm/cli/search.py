"""`reward-llm search`: weights that are found by trying, and proposed for people to decide on."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from reward_llm.cli.groups import ListByDefault
from reward_llm.cli.options import CursorOption, JsonOption, LangOption, LimitOption
from reward_llm.cli.output import console, print_json, print_next_page
from reward_llm.cli.policy_display import show_next, show_policy
from reward_llm.cli.search_display import experiment_step, show_search, show_searches
from reward_llm.cli.wording import Lang, say
from reward_llm.domain.searching import MAX_BUDGET, MAX_FINALISTS, EvaluatorKind, SearchMethod
from reward_llm.domain.simulation import MAX_DAYS, MAX_SEEDS, MIN_DAYS, RecommenderName
from reward_llm.errors import InvalidInput

if TYPE_CHECKING:
    from reward_llm.cli.client import Client

app = typer.Typer(cls=ListByDefault, help="Search for weights that bring more, and propose what was found.")

_CONSTRAINT: Final = re.compile(r"([a-z][a-z0-9_]*)\s*>=\s*(-?[0-9]+(?:\.[0-9]+)?)(%?)")
_GOING: Final = {"queued", "running"}
_EVERY_S: Final = 1.0
_PERCENT: Final = 100

SearchArgument = Annotated[str, typer.Argument(metavar="ID", help="The search's id.")]
NoWaitOption = Annotated[bool, typer.Option("--no-wait", help="Start it, and don't wait for its end.")]


@app.command()
def run(  # noqa: PLR0913 - each is an option
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="The scenario.")],
    *,
    objective: Annotated[list[str], typer.Option("--objective", help="A metric to have more of; up to three.")],
    constraint: Annotated[
        list[str] | None,
        typer.Option("--constraint", help="`ctr>=0.05`, or `ctr>=98%` of what it is now; repeatable."),
    ] = None,
    segment: Annotated[
        list[str] | None, typer.Option("--segment", help="A segment; one search for each that is named.")
    ] = None,
    method: Annotated[SearchMethod, typer.Option("--method", help="How to search.")] = SearchMethod.TPE,
    budget: Annotated[int, typer.Option("--budget", min=1, max=MAX_BUDGET, help="Evaluations.")] = 64,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed finds the same.")] = 0,
    finalists: Annotated[int, typer.Option("--finalists", min=1, max=MAX_FINALISTS, help="Measured again.")] = 4,
    final_evaluations: Annotated[int, typer.Option("--final-evaluations", min=0, help="Of all finalists.")] = 16,
    prefer: Annotated[str | None, typer.Option("--prefer", help="The objective to choose by.")] = None,
    evaluator: Annotated[
        EvaluatorKind, typer.Option("--evaluator", help="What says what weights would bring.")
    ] = EvaluatorKind.SIMULATOR,
    users: Annotated[int, typer.Option("--users", min=40, max=1_000, help="Of the market.")] = 60,
    days: Annotated[
        int, typer.Option("--days", min=MIN_DAYS, max=MAX_DAYS, help="Of a simulated market.")
    ] = MIN_DAYS,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=MAX_SEEDS, help="Markets an evaluation takes.")] = 2,
    recommender: Annotated[
        RecommenderName, typer.Option("--recommender", help="Who fills the simulated slates.")
    ] = RecommenderName.BANDIT,
    no_wait: NoWaitOption = False,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Search for weights that bring more of the objectives than those in force, and keep to the constraints."""
    from reward_llm.cli.client import connect

    client = connect()
    wanted = {
        "scenario": scenario,
        "objectives": objective,
        "constraints": [parsed_constraint(text) for text in constraint or []],
        "method": method.value,
        "evaluator": {
            "kind": evaluator.value,
            "users": users,
            "days": days,
            "seeds": seeds,
            "recommender": recommender.value,
        },
        "budget": budget,
        "seed": seed,
        "finalists": finalists,
        "final_evaluations": final_evaluations,
        "prefer": prefer,
    }
    scopes: list[str | None] = [*segment] if segment else [None]
    started = [client.post("searches", document={**wanted, "segment": one}) for one in scopes]
    _end(client, started, lang, waits=not no_wait, as_json=as_json)


@app.command("list")
def list_searches(
    *,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Of this scenario alone.")] = None,
    cursor: CursorOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Searches, newest first."""
    from reward_llm.cli.client import connect

    page = connect().get("searches", scenario=scenario, cursor=cursor, limit=limit)
    if as_json:
        print_json(page)
        return
    show_searches(console(), page["items"], lang)
    print_next_page(page)


@app.command()
def show(search: SearchArgument, *, as_json: JsonOption = False, lang: LangOption) -> None:
    """What a search tried, and what came of it."""
    from reward_llm.cli.client import connect

    client = connect()
    _print(client, [client.get("searches", search)], lang, as_json=as_json)


@app.command()
def resume(
    search: SearchArgument, *, no_wait: NoWaitOption = False, as_json: JsonOption = False, lang: LangOption
) -> None:
    """Go on with a search that was cancelled or interrupted, or failed, from its last trial."""
    from reward_llm.cli.client import connect

    client = connect()
    resumed = client.post("searches", search, "resumption", document={})
    _end(client, [resumed], lang, waits=not no_wait, as_json=as_json)


@app.command()
def cancel(search: SearchArgument, *, as_json: JsonOption = False, lang: LangOption) -> None:
    """End a search; what it tried stays."""
    from reward_llm.cli.client import connect

    client = connect()
    _print(client, [client.post("searches", search, "cancellation", document={})], lang, as_json=as_json)


@app.command()
def propose(
    search: SearchArgument,
    *,
    trial: Annotated[int | None, typer.Option("--trial", min=1, help="Another finalist than the chosen one.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; the audit log keeps it.")] = "",
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Make what was found the scope's next policy, for people to decide on; it isn't activated."""
    from reward_llm.cli.client import connect

    client = connect()
    found = client.get("searches", search)
    policy = client.post("searches", search, "proposal", document={"trial": trial, "reason": reason})
    if as_json:
        print_json(policy)
        return
    to = console()
    show_policy(to, policy, found["in_force"], client.get("scenarios", policy["scenario"]), lang)
    show_next(to, policy, lang)
    to.print(experiment_step({**found, "policy_id": policy["policy_id"]}, lang), soft_wrap=True)


def parsed_constraint(text: str) -> dict[str, Any]:
    """A constraint as it is sent.

    >>> parsed_constraint("ctr>=98%")
    {'metric': 'ctr', 'least': 0.98, 'relative': True}

    Raises:
        InvalidInput: If it isn't `METRIC>=NUMBER`.
    """
    match = _CONSTRAINT.fullmatch(text.strip())
    if match is None:
        hint = "Write `ctr>=0.05`, or `ctr>=98%` of what it is now."
        raise InvalidInput(f"{text!r} isn't a constraint", hint=hint)
    metric, number, percent = match.groups()
    least = float(number) / _PERCENT if percent else float(number)
    return {"metric": metric, "least": least, "relative": bool(percent)}


def _end(client: Client, started: list[dict[str, Any]], lang: Lang, *, waits: bool, as_json: bool) -> None:
    """Wait for searches, if somebody wants to, and print them."""
    if waits:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            started = [_followed(client, search, progress, lang) for search in started]
    _print(client, started, lang, as_json=as_json)


def _followed(client: Client, search: dict[str, Any], progress: Progress, lang: Lang) -> dict[str, Any]:
    task = progress.add_task(say("searching", lang), total=search["progress"]["of"])
    while search["state"] in _GOING:
        time.sleep(_EVERY_S)
        search = client.get("searches", search["id"])
        progress.update(task, completed=search["progress"]["done"])
    return search


def _print(client: Client, searches: list[dict[str, Any]], lang: Lang, *, as_json: bool) -> None:
    """One as itself, several as a list."""
    if as_json:
        print_json(searches[0] if len(searches) == 1 else searches)
        return
    scenario = client.get("scenarios", searches[0]["scenario"])
    for search in searches:
        show_search(console(), search, scenario, lang)
