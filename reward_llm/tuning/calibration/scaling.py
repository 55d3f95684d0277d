"""Fits the two numbers of a scaling (Platt 1999, with the Newton steps of Lin, Lin and Weng 2007)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Final

from reward_llm.domain.calibration import Scaling, logit, sigmoid
from reward_llm.tuning.calibration.quality import Point

_STEPS: Final = 100
_TOLERANCE: Final = 1e-12
_SAME: Final = 1e-9


def fit_scaling(points: Sequence[Point]) -> Scaling:
    """The scaling of greatest likelihood among the monotone ones; without points, the one that changes nothing.

    The targets are Platt's, (N₊ + 1)/(N₊ + 2) and 1/(N₋ + 2) instead of 1 and 0: however few the points are, and if
    all came true, none becomes certain.
    """
    if not points:
        return Scaling()
    wins = sum(p.right for p in points)
    likely, unlikely = (wins + 1) / (wins + 2), 1 / (len(points) - wins + 2)
    targets = [likely if p.right else unlikely for p in points]
    log_odds = [logit(p.probability) for p in points]
    centre = fmean(log_odds)
    slope, level = _newton([x - centre for x in log_odds], targets)
    if slope <= 0:
        return Scaling(slope=0.0, intercept=logit(fmean(targets)))
    return Scaling(slope=slope, intercept=level - slope * centre)


def _newton(xs: Sequence[float], targets: Sequence[float]) -> tuple[float, float]:
    """Slope and level of the logistic regression of the targets on centred xs, from the best constant on."""
    slope, level = 0.0, logit(fmean(targets))
    if max(xs) - min(xs) < _SAME:
        return slope, level
    for _ in range(_STEPS):
        down_slope, down_level = _step(xs, targets, slope, level)
        share, loss = 1.0, _loss(xs, targets, slope, level)
        while _loss(xs, targets, slope - share * down_slope, level - share * down_level) > loss:
            share /= 2
            if share < _SAME:
                return slope, level
        slope, level = slope - share * down_slope, level - share * down_level
        if max(abs(down_slope), abs(down_level)) < _TOLERANCE:
            break
    return slope, level


def _step(xs: Sequence[float], targets: Sequence[float], slope: float, level: float) -> tuple[float, float]:
    """The gradient of the loss, by the inverse of its curvature."""
    fitted = [sigmoid(slope * x + level) for x in xs]
    errors = [p - t for p, t in zip(fitted, targets, strict=True)]
    curvature = [p * (1 - p) for p in fitted]
    by_slope, by_level = _dot(errors, xs), math.fsum(errors)
    xx = _dot(curvature, [x * x for x in xs]) + _TOLERANCE
    x1, ones = _dot(curvature, xs), math.fsum(curvature) + _TOLERANCE
    determinant = xx * ones - x1 * x1
    return (ones * by_slope - x1 * by_level) / determinant, (xx * by_level - x1 * by_slope) / determinant


def _loss(xs: Sequence[float], targets: Sequence[float], slope: float, level: float) -> float:
    """The negative log-likelihood."""
    zs = [slope * x + level for x in xs]
    return sum(max(z, 0) + math.log1p(math.exp(-abs(z))) - t * z for z, t in zip(zs, targets, strict=True))


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return math.fsum(a * b for a, b in zip(left, right, strict=True))
