"""How well probabilities agree with what came true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import fmean
from typing import Final, NamedTuple

EDGES: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Finer at the top, where most readings lie and where the threshold is looked for."""
_DIGITS: Final = 9
"""Probabilities that agree in so many digits fall into one bin."""


class Point(NamedTuple):
    """A probability, and whether what it was of came true."""

    probability: float
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """The points with probabilities in [low, high): their mean probability and the share that came true."""

    low: float
    high: float
    count: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Expected calibration error (Guo et al. 2017) and Brier score; lower is better, None of nothing."""

    count: int
    ece: float | None
    brier: float | None


def reliability(points: Sequence[Point]) -> tuple[Bin, ...]:
    """The bins that hold a point; the last includes 1."""
    bins = []
    for low, high in pairwise(EDGES):
        inside = [p for p in points if low <= round(p.probability, _DIGITS) < high or (high == p.probability == 1)]
        if inside:
            bins.append(
                Bin(
                    low=low,
                    high=high,
                    count=len(inside),
                    confidence=fmean(p.probability for p in inside),
                    right=fmean(p.right for p in inside),
                )
            )
    return tuple(bins)


def quality(points: Sequence[Point]) -> Quality:
    """Both measures of the points."""
    if not points:
        return Quality(count=0, ece=None, brier=None)
    gaps = sum(b.count * abs(b.confidence - b.right) for b in reliability(points))
    brier = fmean((p.probability - p.right) ** 2 for p in points)
    return Quality(count=len(points), ece=gaps / len(points), brier=brier)


def find_threshold(points: Sequence[Point], target: float) -> float:
    """The smallest probability at and above which at least the target's share came true; 1 if there is none.

    Args:
        points: Readings, not those that the probabilities were fitted to.
        target: In (0, 1].
    """
    threshold, right, seen = 1.0, 0, 0
    ordered = sorted(points, key=lambda p: -p.probability)
    for probability, group in groupby(ordered, key=lambda p: p.probability):
        verdicts = [p.right for p in group]
        right, seen = right + sum(verdicts), seen + len(verdicts)
        if right >= target * seen:
            threshold = probability
    return threshold
