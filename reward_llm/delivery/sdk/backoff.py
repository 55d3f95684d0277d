"""How long to wait before the next try."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Final

BASE_S: Final = 0.2
CAP_S: Final = 15.0
LONGEST_PATIENCE_S: Final = 300.0
"""A service that asks for more patience than this gets this much."""
_CHANCES = random.SystemRandom()
_SPREAD: Final = 0.2
_MAX_EXPONENT: Final = 16


class Backoff:
    """Exponential, with full jitter: anything up to a bound that doubles with each failure in a row.

    Marc Brooker, "Exponential Backoff And Jitter" (2015). Its chances come from the system, for the global generator
    is its user's, who may have seeded it, and processes that were forked would draw alike from one of its own.
    """

    def __init__(self, chance: Callable[[], float] = _CHANCES.random) -> None:
        self._chance = chance
        self._failures = 0

    def failed(self, retry_after_s: float | None = None) -> float:
        """Seconds to wait after one more failure: never less than the service asked for, nor all at the same time."""
        bound_s = min(CAP_S, math.ldexp(BASE_S, min(self._failures, _MAX_EXPONENT)))
        self._failures += 1
        wait_s = self.anything_up_to(bound_s)
        if retry_after_s is None:
            return wait_s
        return max(wait_s, min(retry_after_s, LONGEST_PATIENCE_S) * (1 + _SPREAD * self._chance()))

    def succeeded(self) -> None:
        """Begin anew."""
        self._failures = 0

    def anything_up_to(self, seconds: float) -> float:
        """At random, so that those who were cut off at once don't come back at once."""
        return seconds * self._chance()

    def spread(self, seconds: float) -> float:
        """About so many seconds, a fifth more or less."""
        return seconds * (1 + _SPREAD * (2 * self._chance() - 1))
