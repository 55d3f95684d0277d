"""How much of a day's traffic is here now, by the day before."""

# P contents of the pool

from __future__ import annotations

from typing import Final

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray, StepOutcome

UNKNOWN_SHARE: Final = 0.15
"""Of what is left of a day, that is here now, before any day was seen."""


class Traffic:
    """Users present at each page of this day and of the last one that had any."""

    def __init__(self) -> None:
        self._last: dict[int, int] = {}
        self._today: dict[int, int] = {}

    def begin_day(self) -> None:
        """A new day."""
        self._last, self._today = self._today or self._last, {}

    def observe(self, outcome: StepOutcome) -> None:
        """Take note of a page."""
        self._today[outcome.step] = self._today.get(outcome.step, 0) + len(outcome.users_B)

    def due(self, wanted_P: FloatArray, step: int, present: int) -> IntArray:
        """What each content may have now of what it still wants today, rounded up, so that it lasts for the day."""
        later = sum(users for page, users in self._last.items() if page > step)
        share = present / (present + later) if self._last else UNKNOWN_SHARE
        due_P: IntArray = np.ceil(np.maximum(wanted_P, 0.0) * share).astype(np.int64)
        return due_P
