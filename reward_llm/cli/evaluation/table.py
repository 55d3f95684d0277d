"""An evaluation in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reward_llm.cli.evaluation.sections import Row, Section, answered_by, latency, points, read_as, sections
from reward_llm.cli.output import bar, shortened, table
from reward_llm.tuning.evaluation import AGREES, Change, Comparison, Confusion, Read, Report, Run, Share, compare_runs

_BAR_CELLS: Final = {1: 24, 2: 10}
_NARROW_BAR_CELLS: Final = 6
_GOAL_CELLS: Final = 40


def show_run(to: Console, run: Run, baseline: Run | None, failures: int) -> None:
    """Everything about a run.

    Args:
        to: Where it is printed.
        run: What was measured.
        baseline: A kept run of the same goals to show it beside.
        failures: How many failed lines of a backend to show; as many fixed and broken ones.
    """
    to.print(summary(run.reports))
    for backend, report in run.reports.items():
        to.print(f"\n{backend}: what lines expect of utilities, and what was read", style="bold")
        to.print(confusion_table(report.confusion))
    for backend, report in run.reports.items():
        show_failures(to, backend, report, failures)
    if baseline is not None:
        since = f"beside the run of {baseline.taken_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        for backend, comparison in compare_runs(baseline, run).items():
            show_comparison(to, f"{backend}, {since}", comparison, failures)


def summary(reports: Mapping[str, Report]) -> Table:
    """Every measure, a column a backend."""
    made = table("", *reports, right=list(reports))
    cells = _BAR_CELLS.get(len(reports), _NARROW_BAR_CELLS)
    for section in sections(list(reports.values())):
        _start(made, section)
        for row in section.rows:
            made.add_row(_label(section, row), *(_cell(share, cells) for share in row.shares))
    made.add_section()
    made.add_row("answered by", *map(answered_by, reports.values()))
    made.add_row("latency p50 / p95", *map(latency, reports.values()))
    made.add_row("lines", *(str(r.lines) for r in reports.values()))
    return made


def confusion_table(confusion: Confusion) -> Table:
    """Counts of (line, utility); what agrees is bold."""
    columns = [f"read {_words(r)}" for r in Read]
    made = table("expected", *columns, right=columns)
    for expected, row in confusion.items():
        agrees = AGREES.get(expected)
        cells = (Text(str(n), "bold green" if r is agrees else "" if n else "dim") for r, n in row.items())
        made.add_row(_words(expected), *cells)
    return made


def show_failures(to: Console, name: str, report: Report, limit: int) -> None:
    """What was expected and what was read, for the first failed lines."""
    shown = report.failures[:limit]
    to.print(f"\n{name}: {len(report.failures)} of {report.lines} lines failed", style="bold")
    if shown:
        rows = table("line", "goal", "expected", "read as")
        for verdict in shown:
            line = verdict.reading.line
            rows.add_row(Text(line.id), shortened(line.goal, _GOAL_CELLS), str(line.expect), read_as(verdict))
        to.print(rows)
    _show_rest(to, len(report.failures), len(shown))
    if report.failed_pairs:
        to.print(Text(f"pairs that disagree: {', '.join(report.failed_pairs)}"))


def show_comparison(to: Console, title: str, comparison: Comparison, limit: int) -> None:
    """The differences of every score, then the lines that were fixed and those that broke."""
    to.print(f"\n{title}", style="bold")
    numbers = ["then", "now", "change"]
    rows = table("", *numbers, right=numbers)
    for section in sections([comparison.baseline, comparison.current]):
        _start(rows, section)
        for row in section.rows:
            then, now = row.shares
            rows.add_row(_label(section, row), _cell(then, 0), _cell(now, 0), _change(now.change_from(then)))
    rows.add_section()
    rows.add_row("latency p50 / p95", latency(comparison.baseline), latency(comparison.current))
    to.print(rows)
    _show_changes(to, "fixed", comparison.fixed, limit)
    _show_changes(to, "broken", comparison.broken, limit)


def _show_changes(to: Console, word: str, changes: Sequence[Change], limit: int) -> None:
    to.print(f"\n{len(changes)} {'line' if len(changes) == 1 else 'lines'} {word}", style="bold")
    shown = changes[:limit]
    if shown:
        rows = table("line", "goal", "expected", "read then", "read now")
        for change in shown:
            line = change.current.reading.line
            readings = (read_as(change.baseline), read_as(change.current))
            rows.add_row(Text(line.id), shortened(line.goal, _GOAL_CELLS), str(line.expect), *readings)
        to.print(rows)
    _show_rest(to, len(changes), len(shown))


def _show_rest(to: Console, count: int, shown: int) -> None:
    if count > shown:
        to.print(f"{count - shown} more: --failures {count}", style="dim")


def _start(made: Table, section: Section) -> None:
    if section.heading:
        made.add_section()
        made.add_row(section.heading)


def _label(section: Section, row: Row) -> Text:
    return Text(f"  {row.label}" if section.heading else row.label)


def _cell(share: Share, cells: int) -> Text:
    if share.value is None:
        return Text("–", "dim")
    counts = (f"{share.right}/{share.of}".rjust(7), "dim")
    return Text.assemble(bar(share.value, cells), f" {share.value:6.1%} ", counts)


def _change(change: float | None) -> Text:
    return Text(points(change), "green" if (change or 0) > 0 else "red" if change else "dim")


def _words(name: str) -> str:
    return name.replace("_", " ")
