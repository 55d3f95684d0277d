"""`reward-llm experiments`: one policy against the one in force."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from reward_llm.cli.experiments_display import show_experiment, show_list, show_size
from reward_llm.cli.groups import ListByDefault
from reward_llm.cli.options import CursorOption, JsonOption, LangOption, LimitOption, ReasonOption, SegmentOption
from reward_llm.cli.output import console, print_json, print_next_page
from reward_llm.errors import InvalidInput

app = typer.Typer(cls=ListByDefault, help="Experiments: a policy against the one in force, on a share of the users.")

ExperimentArgument = Annotated[str, typer.Argument(metavar="ID", help="The experiment's id.")]


@app.command("list")
def list_experiments(
    *,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Of this scenario alone.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="In this state alone, such as running.")] = None,
    cursor: CursorOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Experiments, newest first."""
    from reward_llm.cli.client import connect

    page = connect().get("experiments", scenario=scenario, state=state, cursor=cursor, limit=limit)
    if as_json:
        print_json(page)
        return
    show_list(console(), page["items"], lang)
    print_next_page(page)


@app.command()
def plan(  # noqa: PLR0913 - each is an option
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="The scenario.")],
    *,
    metric: Annotated[str, typer.Option("--metric", help="What is to get better, such as ctr.")],
    effect: Annotated[float, typer.Option("--effect", help="Relative: 0.02 is 2 % more than now.")],
    segment: SegmentOption = None,
    percent: Annotated[float, typer.Option("--percent", help="The share of users that is treated.")] = 50.0,
    power: Annotated[float, typer.Option("--power", help="The probability of finding it.")] = 0.8,
    alpha: Annotated[float, typer.Option("--alpha", help="The probability of finding what isn't there.")] = 0.05,
    value: Annotated[float | None, typer.Option("--value", help="The metric; else as in the last week.")] = None,
    deviation: Annotated[float | None, typer.Option("--deviation", help="Between users; else as measured.")] = None,
    units: Annotated[float | None, typer.Option("--units", help="Users a week; else as measured.")] = None,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Find out how long an experiment has to run."""
    from reward_llm.cli.client import connect

    asked = {"scenario": scenario, "segment": segment, "metric": metric}
    numbers = {"effect": effect, "percent": percent, "power": power, "alpha": alpha}
    known = {"value": value, "deviation": deviation, "units_a_week": units}
    query = {name: str(number) for name, number in {**numbers, **known}.items() if number is not None}
    answer = connect().get("experiments", "plan", **asked, **query)
    if as_json:
        print_json(answer)
    else:
        show_size(console(), answer, lang)


@app.command()
def create(  # noqa: PLR0913 - each is an option
    treatment: Annotated[str, typer.Argument(metavar="POLICY", help="The id of the policy that is tried.")],
    *,
    name: Annotated[str, typer.Option("--name", help="What it is about.")],
    primary: Annotated[str, typer.Option("--primary", help="The metric that is to get better, such as ctr.")],
    guardrail: Annotated[
        list[str] | None,
        typer.Option("--guardrail", help="A metric that may not lose, such as next_day_retention or gmv:0.02."),
    ] = None,
    percent: Annotated[float, typer.Option("--percent", help="The share of users that is treated.")] = 50.0,
    min_days: Annotated[int, typer.Option("--min-days", help="A winner is decided on from this day on.")] = 14,
    max_days: Annotated[int, typer.Option("--max-days", help="What isn't decided by then is unclear.")] = 17,
    holdout_days: Annotated[int, typer.Option("--holdout-days", help="How long a winner is watched.")] = 7,
    pre_days: Annotated[int, typer.Option("--pre-days", help="Days before the start that sharpen it.")] = 7,
    alpha: Annotated[float, typer.Option("--alpha", help="The probability of any wrong decision.")] = 0.05,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Plan an experiment; nothing is served by it before it is started."""
    from reward_llm.cli.client import connect

    sent = {
        "name": name,
        "treatment": treatment,
        "primary": primary,
        "guardrails": [_guardrail(text) for text in guardrail or []],
        "percent": percent,
        "min_days": min_days,
        "max_days": max_days,
        "holdout_days": holdout_days,
        "pre_days": pre_days,
        "alpha": alpha,
        "reason": reason,
    }
    _print(connect().post("experiments", document=sent), lang, as_json=as_json)


@app.command()
def show(experiment: ExperimentArgument, *, as_json: JsonOption = False, lang: LangOption) -> None:
    """One experiment with its last look; `--json` has all of them."""
    from reward_llm.cli.client import connect

    _print(connect().get("experiments", experiment), lang, as_json=as_json)


@app.command()
def start(
    experiment: ExperimentArgument, *, reason: ReasonOption = "", as_json: JsonOption = False, lang: LangOption
) -> None:
    """Serve the treatment to its share of the users from now on."""
    from reward_llm.cli.client import connect

    _print(connect().post("experiments", experiment, "start", document={"reason": reason}), lang, as_json=as_json)


@app.command()
def stop(
    experiment: ExperimentArgument,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; the audit log keeps it.")],
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """End an experiment, and serve the control to everybody."""
    from reward_llm.cli.client import connect

    _print(connect().post("experiments", experiment, "stop", document={"reason": reason}), lang, as_json=as_json)


def _guardrail(text: str) -> dict[str, Any]:
    """`gmv:0.02` as the interface has it."""
    metric, colon, margin = text.partition(":")
    try:
        return {"metric": metric, "margin": float(margin) if colon else 0.0}
    except ValueError as exc:
        raise InvalidInput(f"{margin!r} isn't a margin", hint="Write it as gmv:0.02.") from exc


def _print(answer: dict[str, Any], lang: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        show_experiment(console(), answer, lang)
