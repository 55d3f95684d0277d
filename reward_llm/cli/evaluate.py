"""`reward-llm evaluate`: how well goals are read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from reward_llm.cli.options import JsonOption
from reward_llm.cli.output import console, print_json
from reward_llm.cli.scenarios import find_scenario
from reward_llm.errors import InvalidInput

if TYPE_CHECKING:
    from reward_llm.domain.ports import GoalProposer
    from reward_llm.domain.scenario import Scenario
    from reward_llm.tuning.evaluation import LabelledLine, Report, Run

app = typer.Typer(no_args_is_help=True, help="Measure how well goals are read.")


class Backend(StrEnum):
    """Who reads the goals."""

    EMBEDDED = "embedded"
    VLLM = "vllm"
    RULES = "rules"
    DEFAULTS = "defaults"


class Bundle(StrEnum):
    """What a model is asked for."""

    INTENTS = "goal_to_intents"
    POINTS = "goal_to_points"


@dataclass(frozen=True, slots=True)
class Reading:
    """A column of the report: who reads, and what it is asked for; None is what the settings say."""

    backend: Backend
    bundle: Bundle | None

    def __str__(self) -> str:
        return "/".join(self.settings.values())

    @property
    def settings(self) -> dict[str, str]:
        """The settings that it stands for."""
        return {"backend": self.backend.value, **({"bundle": self.bundle.value} if self.bundle else {})}


@app.callback()
def evaluate() -> None:
    """Measure how well goals are read."""


@app.command()
def goals(  # noqa: PLR0913 - a command has as many arguments as options
    *,
    file: Annotated[Path, typer.Option("--file", help="Labelled goals, JSON Lines.")],
    backend: Annotated[
        list[Backend] | None,
        typer.Option(
            "--backend", help="Who reads; repeatable. `defaults` changes nothing: the floor to compare with."
        ),
    ] = None,
    bundle: Annotated[
        list[Bundle] | None,
        typer.Option("--bundle", help="What the models are asked for; repeatable, a column for each."),
    ] = None,
    scenario: Annotated[str, typer.Option("--scenario", help="What the goals are for.")] = "home_feed",
    failures: Annotated[int, typer.Option("--failures", min=0, help="How many failed lines to show.")] = 20,
    html: Annotated[Path | None, typer.Option("--html", help="Write the whole report to this file.")] = None,
    save: Annotated[Path | None, typer.Option("--save", help="Keep the run in this file.")] = None,
    against: Annotated[
        Path | None, typer.Option("--against", help="Show what has changed since the run in this file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read labelled goals and report how many were read right."""
    from reward_llm.cli.evaluation.document import run_document
    from reward_llm.cli.evaluation.page import render_page
    from reward_llm.cli.evaluation.table import show_run
    from reward_llm.tuning.evaluation import dump_run, load_lines

    wanted = find_scenario(scenario)
    lines = load_lines(file, wanted)
    readings = _readings(backend or [Backend.EMBEDDED], bundle or [None])
    baseline = _baseline(against, lines, wanted, readings) if against else None
    for path in filter(None, (html, save)):
        _check_target(path)
    run = _run(readings, lines, wanted, file)
    if as_json:
        print_json(run_document(run, baseline))
    else:
        show_run(console(), run, baseline, failures)
    if save:
        _write(save, dump_run(run))
    if html:
        _write(html, render_page(run, baseline))


def _readings(backends: Sequence[Backend], bundles: Sequence[Bundle | None]) -> list[Reading]:
    """Every model with every bundle, and each of the others once.

    Raises:
        ConfigurationInvalid: If a model can't answer a bundle; that is said before goals are read for minutes.
    """
    from reward_llm import bootstrap

    models = {Backend.EMBEDDED, Backend.VLLM}
    readings = list(dict.fromkeys(Reading(b, x if b in models else None) for b in backends for x in bundles))
    for reading in readings:
        if reading.backend in models:
            bootstrap.check_bundle(bootstrap.load_settings(**reading.settings))
    return readings


def _baseline(path: Path, lines: Sequence[LabelledLine], scenario: Scenario, readings: Sequence[Reading]) -> Run:
    """The kept run, which these readings can be compared with on these lines."""
    from reward_llm.tuning.evaluation import check_comparable, parse_run

    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidInput(f"{path} can't be read: {exc}") from exc
    run = parse_run(text, str(path))
    check_comparable(run, lines, scenario, [str(r) for r in readings], str(path))
    return run


def _check_target(path: Path) -> None:
    """Refuse a file that can't be written before goals are read for minutes."""
    if path.is_dir() or not path.parent.is_dir():
        raise InvalidInput(f"{path} can't be written", hint="Name a file in a folder that is there.")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as exc:
        raise InvalidInput(f"{path} can't be written: {exc}") from exc
    Console(stderr=True, highlight=False).print(Text(f"written: {path}", "dim"), soft_wrap=True)


def _run(readings: Sequence[Reading], lines: Sequence[LabelledLine], scenario: Scenario, file: Path) -> Run:
    from reward_llm.tuning.evaluation import Run

    return Run(
        scenario=scenario.name,
        file=str(file),
        taken_at=datetime.now(UTC),
        defaults=scenario.defaults,
        reports={str(r): _evaluate(r, lines, scenario) for r in readings},
    )


def _evaluate(reading: Reading, lines: Sequence[LabelledLine], scenario: Scenario) -> Report:
    from reward_llm.tuning.evaluation import evaluate as evaluate_lines

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"reading with {reading}", total=len(lines))

        async def run() -> Report:
            async with _proposer(reading) as proposer:
                return await evaluate_lines(
                    lines,
                    scenario,
                    proposer,
                    monotonic=time.perf_counter,
                    on_progress=lambda done: progress.update(task, completed=done),
                )

        return asyncio.run(run())


@asynccontextmanager
async def _proposer(reading: Reading) -> AsyncIterator[GoalProposer]:
    """Who reads, for the time of the block."""
    from reward_llm import bootstrap
    from reward_llm.tuning.evaluation import UnchangedProposer

    if reading.backend is Backend.DEFAULTS:
        yield UnchangedProposer()
        return
    settings = bootstrap.load_settings(**reading.settings)
    model = bootstrap.build_model(settings)
    try:
        yield bootstrap.build_proposer(settings, model)
    finally:
        if model is not None:
            await model.aclose()
