"""A run beside an earlier one of the same goals."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from reward_llm.domain.scenario import Scenario
from reward_llm.errors import InvalidInput
from reward_llm.tuning.evaluation.kept import Run
from reward_llm.tuning.evaluation.lines import LabelledLine
from reward_llm.tuning.evaluation.report import Report
from reward_llm.tuning.evaluation.verdict import Verdict

_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line, then and now."""

    baseline: Verdict
    current: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One backend's report beside its baseline."""

    baseline: Report
    current: Report
    fixed: tuple[Change, ...]
    """Lines that failed then and don't now."""
    broken: tuple[Change, ...]
    """Lines that fail now and didn't then."""


def compare(baseline: Report, current: Report) -> Comparison:
    """What became of every line; both reports are over the same lines, in whatever order."""
    then = {v.reading.line.id: v for v in baseline.verdicts}
    changes = [Change(baseline=then[v.reading.line.id], current=v) for v in current.verdicts]
    return Comparison(
        baseline=baseline,
        current=current,
        fixed=tuple(c for c in changes if c.current.right and not c.baseline.right),
        broken=tuple(c for c in changes if c.baseline.right and not c.current.right),
    )


def compare_runs(baseline: Run, current: Run) -> dict[str, Comparison]:
    """The backends that both runs have, compared; the runs are comparable (`check_comparable`)."""
    return {b: compare(baseline.reports[b], r) for b, r in current.reports.items() if b in baseline.reports}


def check_comparable(
    baseline: Run, lines: Iterable[LabelledLine], scenario: Scenario, backends: Collection[str], origin: str
) -> None:
    """Accept a baseline that measured the same goals in the same way, before anything is read.

    Args:
        baseline: The kept run.
        lines: The goals to be read now.
        scenario: What they are for.
        backends: Who is to read them.
        origin: Names the kept run in errors.

    Raises:
        InvalidInput: If it is of other goals, another scenario or other defaults, or has none of the backends.
    """
    if baseline.scenario != scenario.name:
        raise InvalidInput(f"{origin} is a run for the scenario {baseline.scenario!r}, not {scenario.name!r}")
    if dict(baseline.defaults) != dict(scenario.defaults):
        raise InvalidInput(
            f"{origin} was measured against other default weights of {scenario.name}",
            hint="Every score starts from the defaults; keep a new run with these.",
        )
    _check_lines(baseline, {line.id: line for line in lines}, origin)
    if not set(backends) & baseline.reports.keys():
        raise InvalidInput(
            f"{origin} has no run of {', '.join(backends)}",
            hint=f"It has: {', '.join(baseline.reports)}; name one of them with --backend.",
        )


def _check_lines(baseline: Run, lines: dict[str, LabelledLine], origin: str) -> None:
    kept = baseline.lines
    for problem, ids in (
        ("it lacks", [i for i in lines if i not in kept]),
        ("it has besides", [i for i in kept if i not in lines]),
        ("it has otherwise", [i for i in lines if i in kept and kept[i] != lines[i]]),
    ):
        if ids:
            named = ", ".join(ids[:_NAMED]) + (f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else "")
            raise InvalidInput(
                f"{origin} is a run on other goals: {problem} {named}",
                hint=f"It was taken on {baseline.file}; keep a new run with these goals.",
            )
