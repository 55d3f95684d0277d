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
_SPREAD: Final = 0.2
_MAX_EXPONENT: Final = 16


class Backoff:
    """Exponential, with full jitter: anything up to a bound that doubles with each failure in a row.

    Marc Brooker, "Exponential Backoff And Jitter" (2015).
    """

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._failures = 0

    def failed(self, retry_after_s: float | None = None) -> float:
        """Seconds to wait after one more failure: never less than the service asked for, nor all at the same time."""
        bound_s = min(CAP_S, math.ldexp(BASE_S, min(self._failures, _MAX_EXPONENT)))
        self._failures += 1
        wait_s = bound_s * self._chance()
        if retry_after_s is None:
            return wait_s
        return max(wait_s, min(retry_after_s, LONGEST_PATIENCE_S) * (1 + _SPREAD * self._chance()))

    def succeeded(self) -> None:
        """Begin anew."""
        self._failures = 0

    def spread(self, seconds: float) -> float:
        """About so many seconds, a fifth more or less."""
        return seconds * (1 + _SPREAD * (2 * self._chance() - 1))
