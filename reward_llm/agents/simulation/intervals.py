"""How sure a mean over seeds is: Student's t, whose quantiles are computed here."""

# S seeds, C columns

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from reward_llm.domain.preview import Interval
from reward_llm.domain.simulation import MIN_SEEDS
from reward_llm.errors import SimulationInvalid

CONFIDENCE: Final = 0.95
_WIDEST: Final = 1e4
"""Beyond the quantiles of every confidence that is asked for here."""
_HALVINGS: Final = 100


def mean_interval(value_S: Sequence[float] | npt.NDArray[np.float64], confidence: float = CONFIDENCE) -> Interval:
    """The mean with mean ± t · s / √S, s the sample's standard deviation and t the quantile for S - 1 degrees.

    >>> found = mean_interval([1.0, 2.0, 3.0])
    >>> [round(x, 3) for x in (found.mean, found.low, found.high)]
    [2.0, -0.484, 4.484]

    Raises:
        SimulationInvalid: If there are fewer than two values.
    """
    values = np.asarray(value_S, dtype=np.float64)
    if len(values) < MIN_SEEDS:
        raise SimulationInvalid(f"{len(values)} seeds give no interval", hint=f"Take at least {MIN_SEEDS}.")
    mean = float(values.mean())
    reach = t_quantile(confidence, len(values) - 1) * float(values.std(ddof=1)) / math.sqrt(len(values))
    return Interval(mean=mean, low=mean - reach, high=mean + reach)


@lru_cache
def t_quantile(confidence: float, degrees: int) -> float:
    """The t that a Student variable stays within, on both sides, with this probability.

    >>> [round(t_quantile(0.95, n), 3) for n in (1, 2, 9)]
    [12.706, 4.303, 2.262]
    """
    low, high = 0.0, _WIDEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < confidence else (low, middle)
    return (low + high) / 2


def _within(t: float, degrees: int) -> float:
    """P(|T| < t) for a whole number of degrees: Abramowitz & Stegun 26.7.3 and 26.7.4."""
    theta = math.atan(t / math.sqrt(degrees))
    sine, cosine = math.sin(theta), math.cos(theta)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(2 + odd, degrees - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return 2 / math.pi * (theta + sine * total) if odd else sine * total
