"""What a run writes while it goes: one line of CSV a report, and a bar for who watches."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

_NAME_WIDTH: Final = 10
_BAR_WIDTH: Final = 20
_TIME_WIDTH: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingProgress:
    """How far a run is."""

    name: str
    step: int
    steps: int
    figures: Mapping[str, float]
    """By column of the log; empty between reports."""


OnProgress = Callable[[TrainingProgress], None]


class Journal:
    """A CSV file that a resumed run goes on with."""

    def __init__(self, file: Path, *, after_step: int) -> None:
        """Keep the lines up to a step; those after it will be written again."""
        self._file = file
        kept = [row for row in read_journal(file) if int(row["step"]) <= after_step]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        for row in kept:
            self._append(row)

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Add a line; every line has the columns of the first."""
        self._append({"step": step, **{name: f"{value:.6g}" for name, value in figures.items()}})

    def _append(self, row: Mapping[str, object]) -> None:
        is_new = not self._file.exists()
        with self._file.open("a", newline="", encoding="utf-8") as lines:
            writer = csv.DictWriter(lines, list(row))
            if is_new:
                writer.writeheader()
            writer.writerow(row)


def read_journal(file: Path) -> list[dict[str, str]]:
    """The lines of a journal, oldest first; none if there is no file."""
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@contextmanager
def progress_bar(console: Console | None = None) -> Iterator[OnProgress]:
    """A bar on standard error, with the last figures beside it."""
    columns = (
        TextColumn("{task.description}", table_column=Column(no_wrap=True, min_width=_NAME_WIDTH)),
        BarColumn(bar_width=_BAR_WIDTH, table_column=Column(min_width=_BAR_WIDTH)),
        TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=_TIME_WIDTH)),
        TextColumn("{task.fields[said]}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
    )
    with Progress(*columns, console=console or Console(stderr=True), expand=True) as bar:
        tasks = {}

        def show(progress: TrainingProgress) -> None:
            if progress.name not in tasks:
                tasks[progress.name] = bar.add_task(progress.name, total=progress.steps, said="")
            task = tasks[progress.name]
            bar.update(task, completed=progress.step)
            if progress.figures:
                bar.update(task, said="  ".join(f"{name} {value:.4g}" for name, value in progress.figures.items()))

        yield show


def unseen(_: TrainingProgress) -> None:
    """Show nothing."""
