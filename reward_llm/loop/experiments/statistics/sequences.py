"""Confidence sequences: intervals that hold at every look at once, however many there are and whenever one stops.

An estimate with the variance V carries the information v = 1 / V, and estimate / V moves like a Brownian motion with
drift as information comes in. Robbins' normal mixture (1970) bounds that for all v at once; with estimated variances
the bound is an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024). The closed form
of the one-sided bound is equation 14 of Howard, Ramdas, McAuliffe and Sekhon (2021).
"""

from __future__ import annotations

from math import log, sqrt
from statistics import NormalDist
from typing import Final

NORMAL: Final = NormalDist()


def tuning(information: float, alpha: float) -> float:
    """The mixture's parameter that makes a two-sided sequence about narrowest at this much information.

    An approximation of the optimum (Howard et al. 2021; Waudby-Smith et al. 2024). Whatever the parameter is, the
    sequence is valid, as long as it stays the same from look to look.
    """
    level = -2 * log(alpha)
    return information / (level + log(level + 1))


def two_sided(variance: float, tuned: float, alpha: float) -> float:
    """Half the width of the sequence at a look.

    >>> round(two_sided(1.0, tuning(1.0, 0.05), 0.05), 2)
    3.04
    """
    total = 1 / variance + tuned
    return variance * sqrt(total * log(total / (tuned * alpha**2)))


def one_sided(variance: float, tuned: float, alpha: float) -> float:
    """How far above the estimate the sequence's upper end lies, or below it the lower one, if only that is asked."""
    total = 1 / variance + tuned
    return variance * sqrt(2 * total * log(sqrt(total / tuned) / (2 * alpha) + 1))


def one_of_many(variance: float, looks: int, alpha: float) -> float:
    """The same for windows that move along, which gather no information: alpha in equal parts (Bonferroni)."""
    return sqrt(variance) * NORMAL.inv_cdf(1 - alpha / looks)


def multiplier(alpha: float) -> float:
    """Standard errors to either side where a two-sided sequence is tuned for."""
    return two_sided(1.0, tuning(1.0, alpha), alpha)
