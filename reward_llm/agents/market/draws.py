"""Randomness that is the same for every policy.

Every number has an address (seed, purpose, day, page, user, slot), so that two policies on one seed meet the same
chances, and their difference has less noise (common random numbers).
"""

# B users present, W numbers of a user

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from reward_llm.agents.allocation import FloatArray, IntArray

RESPONSES: Final = 5
"""Numbers a slot: click, completion, sharing, dwell, purchase."""
_WORDS: Final = 2**64 - 1
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
"""Step of SplitMix64's counter."""
_OFFSET: Final = 1_000
"""Makes days of the warm-up positive, as seeds must be."""


class Purpose(IntEnum):
    """What a stream of numbers is for."""

    PEOPLE = 0
    CONTENT = 1
    PAGE = 2
    NIGHT = 3
    OUTSIDE = 4
    LOGGING = 5


@dataclass(frozen=True, slots=True)
class Draws:
    """The source of a market's randomness."""

    seed: int

    def stream(self, purpose: Purpose, *address: int) -> np.random.Generator:
        """Give the generator at an address."""
        return np.random.default_rng([self.seed, purpose, *(number + _OFFSET for number in address)])

    def page(self, day: int, step: int, users_B: IntArray, *, slots: int) -> tuple[FloatArray, FloatArray]:
        """Give uniform numbers by slot and response, and one for leaving, the same whoever else is there."""
        width = slots * RESPONSES + 1
        key = self.stream(Purpose.PAGE, day, step).integers(_WORDS, size=1, dtype=np.uint64)
        place_BW = users_B.astype(np.uint64)[:, None] * np.uint64(width) + np.arange(1, width + 1, dtype=np.uint64)
        word_BW: npt.NDArray[np.uint64] = np.add(key, np.multiply(place_BW, _GOLDEN))
        numbers_BW = _uniform(word_BW)
        return numbers_BW[:, 1:].reshape(-1, slots, RESPONSES), numbers_BW[:, 0]


def _uniform(word: npt.NDArray[np.uint64]) -> FloatArray:
    """Mix words into numbers in [0, 1), as SplitMix64 does (Steele, Lea and Flood 2014)."""
    mixed = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)


def poisson_by_day(generator: np.random.Generator, mean: float, days: range) -> IntArray:
    """Give the day of every arrival, in order, with a Poisson number on each day."""
    count = generator.poisson(mean, len(days))
    return np.repeat(np.arange(days.start, days.stop, dtype=np.int64), count)
