"""`reward-llm evaluate`: how well goals are read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from reward_llm.cli.options import JsonOption
from reward_llm.cli.output import bar, console, print_json, shortened, table
from reward_llm.cli.scenarios import find_scenario

if TYPE_CHECKING:
    from reward_llm.domain.ports import GoalProposer
    from reward_llm.domain.scenario import Scenario
    from reward_llm.tuning.evaluation import LabelledLine, Report, Share, Verdict

app = typer.Typer(no_args_is_help=True, help="Measure how well goals are read.")

_SHARES = {
    "directional": "directional accuracy",
    "raised": "  raise",
    "lowered": "  lower",
    "held": "  hold",
    "top": "top utility",
    "no_change_precision": "no_change precision",
    "no_change_recall": "no_change recall",
    "hostile_safe": "hostile goals safe",
    "paraphrase": "paraphrases agree",
    "stronger": "stronger is not less",
    "numbers": "numbers found",
    "valid": "valid weights",
}
_GROUPS = {"by_kind": "directional, by kind", "by_lang": "directional, by language"}
_BAR_CELLS = {1: 24, 2: 12}
_NARROW_BAR_CELLS = 6


class Backend(StrEnum):
    """Who reads the goals."""

    EMBEDDED = "embedded"
    VLLM = "vllm"
    RULES = "rules"
    DEFAULTS = "defaults"


@app.callback()
def evaluate() -> None:
    """Measure how well goals are read."""


@app.command()
def goals(
    *,
    file: Annotated[Path, typer.Option("--file", help="Labelled goals, JSON Lines.")],
    backend: Annotated[
        list[Backend] | None,
        typer.Option(
            "--backend", help="Who reads; repeatable. `defaults` changes nothing: the floor to compare with."
        ),
    ] = None,
    scenario: Annotated[str, typer.Option("--scenario", help="What the goals are for.")] = "home_feed",
    failures: Annotated[int, typer.Option("--failures", min=0, help="How many failed lines to show.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Read labelled goals and report how many were read right."""
    from reward_llm.tuning.evaluation import load_lines

    wanted = find_scenario(scenario)
    lines = load_lines(file, wanted)
    reports = {b.value: _evaluate(b, lines, wanted) for b in dict.fromkeys(backend or [Backend.EMBEDDED])}
    if as_json:
        documents = {b: report_document(r) for b, r in reports.items()}
        print_json({"file": str(file), "scenario": scenario, "reports": documents})
        return
    out = console()
    out.print(summary(reports))
    for name, report in reports.items():
        show_failures(out, name, report, failures)


def _evaluate(backend: Backend, lines: Sequence[LabelledLine], scenario: Scenario) -> Report:
    from reward_llm.tuning.evaluation import evaluate as evaluate_lines

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"reading with {backend}", total=len(lines))

        async def run() -> Report:
            async with _reading(backend) as proposer:
                return await evaluate_lines(
                    lines,
                    scenario,
                    proposer,
                    monotonic=time.perf_counter,
                    on_progress=lambda done: progress.update(task, completed=done),
                )

        return asyncio.run(run())


@asynccontextmanager
async def _reading(backend: Backend) -> AsyncIterator[GoalProposer]:
    """Who reads, for the time of the block."""
    from reward_llm import bootstrap
    from reward_llm.tuning.evaluation import UnchangedProposer

    if backend is Backend.DEFAULTS:
        yield UnchangedProposer()
        return
    settings = bootstrap.load_settings(backend=backend.value)
    model = bootstrap.build_model(settings)
    try:
        yield bootstrap.build_proposer(settings, model)
    finally:
        if model is not None:
            await model.aclose()


def summary(reports: Mapping[str, Report]) -> Table:
    """Every measure, a column a backend."""
    rows = table("", *reports, right=list(reports))
    cells = _BAR_CELLS.get(len(reports), _NARROW_BAR_CELLS)
    for field, label in _SHARES.items():
        rows.add_row(label, *(_cell(getattr(r, field), cells) for r in reports.values()))
    for field, heading in _GROUPS.items():
        rows.add_section()
        rows.add_row(heading)
        for name in dict.fromkeys(n for r in reports.values() for n in getattr(r, field)):
            rows.add_row(f"  {name}", *(_cell(getattr(r, field)[name], cells) for r in reports.values()))
    rows.add_section()
    rows.add_row("answered by", *(", ".join(f"{s} {n}" for s, n in r.sources.items()) for r in reports.values()))
    rows.add_row("latency p50 / p95", *(_latency(r) for r in reports.values()))
    rows.add_row("lines", *(str(r.lines) for r in reports.values()))
    return rows


def _cell(share: Share, cells: int) -> Text:

    if share.value is None:
        return Text("–", "dim")
    return Text.assemble(
        bar(share.value, cells), f" {share.value:6.1%} ", (f"{share.right}/{share.of}".rjust(7), "dim")
    )


def _latency(report: Report) -> str:
    return f"{report.latency_p50_ms:.1f} / {report.latency_p95_ms:.1f} ms"


def show_failures(out: Console, name: str, report: Report, limit: int) -> None:
    """What was expected and what was read, for the first failed lines."""
    shown = report.failures[:limit]
    out.print(f"\n{name}: {len(report.failures)} of {report.lines} lines failed", style="bold")
    if shown:
        rows = table("line", "goal", "expected", "read as")
        for verdict in shown:
            line = verdict.reading.line
            rows.add_row(line.id, shortened(line.goal, 40), str(line.expect), read_as(verdict))
        out.print(rows)
    if len(report.failures) > len(shown):
        out.print(f"{len(report.failures) - len(shown)} more: --failures {len(report.failures)}", style="dim")
    if report.failed_pairs:
        out.print(f"pairs that disagree: {', '.join(report.failed_pairs)}")


def read_as(verdict: Verdict) -> str:
    """What a goal was read as, in a line."""
    proposal = verdict.reading.proposal
    intents = proposal.interpretation.intents if proposal else ()
    words = ", ".join(f"{i.direction} {i.utility} ({i.emphasis})" for i in intents)
    return (words or verdict.reading.decision.value) + ("" if verdict.valid else "; weights not valid")


def report_document(report: Report) -> dict[str, Any]:
    """The report as JSON: every share with its counts."""
    return {
        "lines": report.lines,
        **{field: _share(getattr(report, field)) for field in _SHARES},
        **{field: {n: _share(s) for n, s in getattr(report, field).items()} for field in _GROUPS},
        "sources": dict(report.sources),
        "latency_p50_ms": round(report.latency_p50_ms, 3),
        "latency_p95_ms": round(report.latency_p95_ms, 3),
        "failures": list(_failures(report)),
        "failed_pairs": list(report.failed_pairs),
    }


def _share(share: Share) -> dict[str, float | int | None]:
    return {"share": share.value, "right": share.right, "of": share.of}


def _failures(report: Report) -> Iterator[dict[str, Any]]:
    for verdict in report.failures:
        line = verdict.reading.line
        yield {
            "id": line.id,
            "goal": line.goal,
            "expected": str(line.expect),
            "read_as": read_as(verdict),
            "source": verdict.reading.source,
        }
