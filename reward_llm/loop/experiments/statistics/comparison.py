"""Treatment against control, from moments over units.

A metric is a ratio R = Σ y / Σ x over the units of an arm. By the delta method
(Deng, Knoblich and Lu 2018) unit i contributes z_i = (y_i - R x_i) / mean(x), so that Var(R) = var(z) / n.

With y' and x' the same unit's values before the experiment, CUPED (Deng, Xu, Kohavi and Walker 2013) subtracts
theta m', where m' is the arm's mean of z'_i = (y'_i - R' x'_i) / mean(x') with the ratio R' of both arms together,
and theta = cov(z, z') / var(z'). m' is 0 in expectation, since nobody was treated then.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final

from reward_llm.domain.experiments import Moments

Weights = tuple[float, float, float, float]
Arms = tuple[tuple[Moments, Weights], tuple[Moments, Weights]]
_NOTHING: Final[Weights] = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The metric in both arms and how far they are apart; `kept` is the share of the variance that CUPED left."""

    control: float
    treatment: float
    difference: float
    variance: float
    kept: float


def compare(control: Moments, treatment: Moments, *, factor: float = 1.0) -> Comparison | None:
    """The difference treatment - factor · control; None where an arm has nothing to measure or nothing varies.

    Args:
        control: Of units on the control.
        treatment: Of units on the treatment.
        factor: 1 - the share of the control's value that may be lost, for guardrails.
    """
    lines = _arm(control), _arm(treatment)
    if lines[0] is None or lines[1] is None:
        return None
    arms = (control, lines[0]), (treatment, lines[1])
    before = _before(control + treatment)
    theta = _theta(arms, before)
    values, variances, plain = [], [], []
    for moments, line in arms:
        adjusted = _less(line, theta, before)
        values.append(_ratio(moments) - theta * _mean(moments, before))
        variances.append(_covariance(moments, adjusted, adjusted) / moments.count)
        plain.append(_covariance(moments, line, line) / moments.count)
    variance, unadjusted = variances[1] + factor**2 * variances[0], plain[1] + factor**2 * plain[0]
    if not (variance > 0 and isfinite(variance)):
        return None
    return Comparison(
        control=values[0],
        treatment=values[1],
        difference=values[1] - factor * values[0],
        variance=variance,
        kept=variance / unadjusted if unadjusted > 0 else 1.0,
    )


def spread(moments: Moments) -> tuple[float, float] | None:
    """A metric's value and the standard deviation of what units contribute; None where nothing is measured."""
    line = _arm(moments)
    return None if line is None else (_ratio(moments), _covariance(moments, line, line) ** 0.5)


def _arm(moments: Moments) -> Weights | None:
    """What z is made of: its weights on y, x, y' and x'."""
    if moments.count < 2 or moments.sums[1] <= 0:
        return None
    mean = moments.sums[1] / moments.count
    return (1 / mean, -_ratio(moments) / mean, 0.0, 0.0)


def _before(pooled: Moments) -> Weights:
    """What z' is made of; nothing, where nobody did anything before."""
    above, below = pooled.sums[2], pooled.sums[3]
    if below <= 0:
        return _NOTHING
    mean = below / pooled.count
    return (0.0, 0.0, 1 / mean, -above / below / mean)


def _theta(arms: Arms, before: Weights) -> float:
    shared = sum(m.count * _covariance(m, line, before) for m, line in arms)
    own = sum(m.count * _covariance(m, before, before) for m, _ in arms)
    return shared / own if own > 0 else 0.0


def _less(line: Weights, theta: float, before: Weights) -> Weights:
    a, b, c, d = (mine - theta * theirs for mine, theirs in zip(line, before, strict=True))
    return a, b, c, d


def _ratio(moments: Moments) -> float:
    return moments.sums[0] / moments.sums[1]


def _mean(moments: Moments, line: Weights) -> float:
    return sum(w * s for w, s in zip(line, moments.sums, strict=True)) / moments.count


def _covariance(moments: Moments, one: Weights, other: Weights) -> float:
    """The sample covariance of two weighted sums of the variables."""
    n, sums = moments.count, moments.sums
    centred = sum(
        one[i] * other[j] * (moments.products[i][j] - sums[i] * sums[j] / n)
        for i in range(len(sums))
        for j in range(len(sums))
        if one[i] and other[j]
    )
    return max(0.0, centred / (n - 1)) if one == other else centred / (n - 1)
