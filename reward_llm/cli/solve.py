"""`reward-llm solve`: the weights that are expected to bring what a goal demands, and the surfaces that know them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from typer.core import TyperGroup

from reward_llm import bootstrap
from reward_llm.cli.options import JsonOption, LangOption
from reward_llm.cli.output import console, print_json
from reward_llm.cli.solve_display import show_solution, show_surface
from reward_llm.cli.submit import named_numbers
from reward_llm.cli.wording import say
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.simulation import RecommenderName
from reward_llm.errors import InvalidInput, ScenarioUnknown


class _GoalByDefault(TyperGroup):
    """`solve TEXT` means `solve goal TEXT`."""

    default: ClassVar[str] = "goal"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments, with `goal` before them where no command is named."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [self.default, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_GoalByDefault, help="Solve a goal: `solve TEXT`; or make a response surface: `solve fit`.")

ScenarioOption = Annotated[str, typer.Option("--scenario", help="Whose utilities and defaults.")]


@app.command("goal")
def solve_goal(
    text: Annotated[str, typer.Argument(help="The goal, in Chinese or English.")],
    *,
    scenario: ScenarioOption = "home_feed",
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="UTILITY=VALUE", help="A level beside the text; repeatable."),
    ] = None,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Read a goal and solve it for the weights that are expected to bring what it demands.

    It asks no service: it begins from the scenario's defaults, and the surface isn't corrected by what came of goals.
    """
    settings = bootstrap.load_settings()
    known = _scenario(settings, scenario)
    with Console(stderr=True).status(say("reading_goals", lang)):
        proposal, solution = bootstrap.solve_goal(settings, known, text, named_numbers(target or [], "--target"))
    from reward_llm.api.wire.solving import SolutionWire

    document = {
        "goal": text,
        "scenario": scenario,
        "decision": proposal.interpretation.decision.value,
        "source": proposal.source.value,
        "proposed": dict(proposal.weights),
        "solved": SolutionWire.of(solution).model_dump(mode="json") if solution else None,
    }
    if as_json:
        print_json(document)
    else:
        show_solution(console(), document, _shown(known), lang)


@app.command("fit")
def fit(  # noqa: PLR0913 - each is an option
    *,
    what_if: Annotated[
        Literal["simulator", "ranker"], typer.Option("--what-if", help="What says what weights would bring.")
    ] = "simulator",
    points: Annotated[int, typer.Option("--points", min=8, max=1_000, help="How many weights are tried.")] = 44,
    scenario: ScenarioOption = "home_feed",
    seed: Annotated[int, typer.Option("--seed", min=0, help="The first seed.")] = 0,
    recommender: Annotated[
        RecommenderName, typer.Option("--recommender", help="Who fills the slates of the simulator.")
    ] = RecommenderName.MARKETPLACE,
    users: Annotated[int, typer.Option("--users", min=20, help="Of the simulated market.")] = 500,
    days: Annotated[int, typer.Option("--days", min=10, max=30, help="That each market lives.")] = 10,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=20, help="Markets for each of the weights.")] = 3,
    out: Annotated[Path | None, typer.Option("--out", help="The file; SCENARIO.json here if left out.")] = None,
    lang: LangOption,
) -> None:
    """Try weights all over the scenario's bounds, and write what is to be expected of any.

    A service uses the files in REWARD_LLM_SURFACES_DIR.
    """
    settings = bootstrap.load_settings()
    known = _scenario(settings, scenario)
    plan = bootstrap.SurfacePlan(
        what_if=what_if,
        points=points,
        seed=seed,
        recommender=recommender,
        users=users,
        days=days,
        seeds=seeds,
    )
    file = out or Path(f"{scenario}.json")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(say("fitting", lang), total=plan.steps)
        surface = bootstrap.fit_surface(settings, known, plan, lambda: progress.advance(task))
    try:
        file.write_text(bootstrap.surface_document(surface), "utf-8")
    except OSError as exc:
        raise InvalidInput(f"{file} can't be written: {exc}", hint="Name a file in a folder that is there.") from exc
    show_surface(console(), surface, str(file), lang)


def _scenario(settings: Any, name: str) -> Scenario:
    known = bootstrap.load_all_scenarios(settings)
    if name not in known:
        raise ScenarioUnknown(f"no scenario {name!r}", hint=f"There are: {', '.join(known)}.")
    return known[name]


def _shown(scenario: Scenario) -> dict[str, Any]:
    """The scenario as far as weights are shown by it."""
    return {
        "utilities": [{"name": u.name, "min": u.bounds.min, "max": u.bounds.max} for u in scenario.utilities],
    }
