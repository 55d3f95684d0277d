"""How sure a mean over requests is: bootstrap intervals that mind bias and skew (BCa; Efron 1987)."""

# B requests, C columns, R resamples

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from ranker.errors import ShapeMismatch, ValueOutOfRange

FEWEST_RESAMPLES: Final = 100
MOST_RESAMPLES: Final = 100_000
_NORMAL: Final = NormalDist()
_SMALLEST: Final = 1e-9
"""Below it, values that are the same differ by rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean, and where it lies with the chosen confidence."""

    mean: float
    low: float
    high: float


def mean_intervals(value_BC: np.ndarray, *, resamples: int, confidence: float, seed: int) -> tuple[Interval, ...]:
    """Give the interval of the mean of every column; the requests are drawn anew, and for all columns alike.

    With Phi the normal distribution, z0 = Phi^-1(share of resampled means below the mean), ties counted by halves,
    and the acceleration a = sum d^3 / (6 (sum d^2)^1.5) of the values' deviations d from their mean, the ends are the
    quantiles Phi(z0 + (z0 + z) / (1 - a (z0 + z))) of the resampled means, z = Phi^-1((1 -+ confidence) / 2).

    Differences of two lists of one request give a paired comparison. The same seed gives the same intervals.

    Raises:
        ShapeMismatch: If there are no requests.
        ValueOutOfRange: If the confidence or the number of resamples is out of range.
    """
    if value_BC.ndim != 2 or len(value_BC) == 0:
        raise ShapeMismatch(f"values of {value_BC.shape} have no rows to draw from")
    if not 0 < confidence < 1 or not FEWEST_RESAMPLES <= resamples <= MOST_RESAMPLES:
        raise ValueOutOfRange(
            f"{resamples} resamples for a confidence of {confidence}",
            hint=f"the confidence lies in (0, 1), and there are {FEWEST_RESAMPLES} to {MOST_RESAMPLES:,} resamples",
        )
    value_BC = value_BC.astype(np.float64)
    count = len(value_BC)
    drawn_RB = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    mean_RC = drawn_RB @ value_BC / count
    return tuple(_interval(value_BC[:, c], mean_RC[:, c], confidence) for c in range(value_BC.shape[1]))


def _interval(value_B: np.ndarray, mean_R: np.ndarray, confidence: float) -> Interval:
    mean, apart_B = float(value_B.mean()), value_B - value_B.mean()
    if np.abs(apart_B).max() < _SMALLEST:
        return Interval(mean=mean, low=mean, high=mean)
    ties = np.abs(mean_R - mean) < _SMALLEST
    below = float(((mean_R < mean) & ~ties).mean() + ties.mean() / 2)
    edge = 1 / (2 * len(mean_R))
    bias = _NORMAL.inv_cdf(min(max(below, edge), 1 - edge))
    acceleration = float((apart_B**3).sum() / (6 * (apart_B**2).sum() ** 1.5))
    ends = [_adjusted(p, bias, acceleration) for p in ((1 - confidence) / 2, (1 + confidence) / 2)]
    low, high = np.quantile(mean_R, ends)
    return Interval(mean=mean, low=float(low), high=float(high))


def _adjusted(probability: float, bias: float, acceleration: float) -> float:
    shifted = bias + _NORMAL.inv_cdf(probability)
    return _NORMAL.cdf(bias + shifted / (1 - acceleration * shifted))
