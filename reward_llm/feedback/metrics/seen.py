"""Which events are in the log already."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.uint64]
_NONE: Final = np.empty(0, np.uint64)


class SeenIds:
    """A set of 64-bit hashes in 8 bytes each, in sorted runs of which each is twice as long as the next or more.

    Adding n ids one batch after the other takes O(n log n) in all, and asking for one O(log^2 n). That any two of n
    events are taken for one has a probability of n^2 / 2^65: 3 in a million over ten million events.

    Args:
        ids: What it begins with.
    """

    def __init__(self, ids: Ids = _NONE) -> None:
        self._runs: list[Ids] = [np.sort(ids)] if ids.size else []

    def __len__(self) -> int:
        return sum(run.size for run in self._runs)

    def fresh(self, ids: Ids) -> npt.NDArray[np.bool_]:
        """Which of the ids, the first of each, aren't in the set."""
        once, first = np.unique(ids, return_index=True)  # sorted: neighbours are looked for in the same places
        is_new = np.ones(once.size, bool)
        for run in self._runs:
            place = np.searchsorted(run, once)
            is_new &= run[np.minimum(place, run.size - 1)] != once
        is_fresh = np.zeros(ids.size, bool)
        is_fresh[first[is_new]] = True
        return is_fresh

    def add(self, ids: Ids) -> None:
        """Put in ids that aren't in the set."""
        if not ids.size:
            return
        self._runs.append(np.sort(ids))
        while len(self._runs) > 1 and self._runs[-2].size < 2 * self._runs[-1].size:
            last = self._runs.pop()
            self._runs[-1] = np.sort(np.concatenate([self._runs[-1], last]), kind="stable")
