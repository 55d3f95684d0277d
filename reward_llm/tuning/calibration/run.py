"""Readings in, a calibration and its report out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final

from reward_llm.domain.calibration import Calibration
from reward_llm.tuning.calibration.goals import JudgedGoal
from reward_llm.tuning.calibration.judgement import JudgedReading, Part, judge
from reward_llm.tuning.calibration.quality import Bin, Point, Quality, find_threshold, quality, reliability
from reward_llm.tuning.calibration.scaling import fit_scaling
from reward_llm.tuning.labelling import AT_ONCE, Reader

READINGS: Final = "reading"
"""What whole readings are called among the parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationReport:
    """What was fitted on, and what was measured on the goals that the threshold is from.

    `before` and `after` are by part, and of whole readings, whose probability is that of their least certain part.
    """

    fitted_on: int
    measured_on: int
    target: float
    threshold: float
    coverage: float | None
    """The share of the readings that need nobody."""
    right_above: float | None
    """The share of those that are right."""
    right: float | None
    """The share of all readings that are right."""
    before: Mapping[str, Quality]
    after: Mapping[str, Quality]
    bins: tuple[Bin, ...]
    """Whole readings by calibrated confidence."""


def read_goals(
    goals: Sequence[JudgedGoal], read: Reader, on_progress: Callable[[int], None] = lambda done: None
) -> tuple[JudgedReading, ...]:
    """The goals read and judged; those that no answer of the model's own was accepted for are left out.

    Args:
        goals: What to read.
        read: The model, its probabilities as it tells them.
        on_progress: Is told how many are done.
    """
    judged = []
    for start in range(0, len(goals), AT_ONCE):
        some = goals[start : start + AT_ONCE]
        readings = read([g.text for g in some])
        judged += [judge(g, r) for g, r in zip(some, readings, strict=True) if r is not None]
        on_progress(start + len(some))
    return tuple(judged)


def calibrate(
    fit: Sequence[JudgedReading], dev: Sequence[JudgedReading], target: float
) -> tuple[Calibration, CalibrationReport]:
    """Maps fitted to the one set of readings, and the threshold at which the other is right often enough."""
    points = _points(fit)
    maps = Calibration(
        intent=fit_scaling(points[Part.INTENT]),
        completeness=fit_scaling(points[Part.COMPLETENESS]),
        no_change=fit_scaling(points[Part.NO_CHANGE]),
        threshold=1.0,
    )
    mapped = [replace(r, reading=maps.apply(r.reading)) for r in dev]
    readings = _points(mapped)[READINGS]
    calibration = replace(maps, threshold=find_threshold(readings, target))
    above = [p.right for p in readings if p.probability >= calibration.threshold]
    return calibration, CalibrationReport(
        fitted_on=len(points[READINGS]),
        measured_on=len(readings),
        target=target,
        threshold=calibration.threshold,
        coverage=len(above) / len(readings) if readings else None,
        right_above=fmean(above) if above else None,
        right=fmean(p.right for p in readings) if readings else None,
        before={part: quality(found) for part, found in _points(dev).items()},
        after={part: quality(found) for part, found in _points(mapped).items()},
        bins=reliability(readings),
    )


def _points(judged: Iterable[JudgedReading]) -> dict[str, list[Point]]:
    """The points by part, and those of whole readings."""
    found: dict[str, list[Point]] = {part: [] for part in (*Part, READINGS)}
    for one in judged:
        for part, point in one.points():
            found[part].append(point)
        confidence, right = one.reading.confidence, one.right
        if confidence is not None and right is not None:
            found[READINGS].append(Point(confidence, right))
    return found
