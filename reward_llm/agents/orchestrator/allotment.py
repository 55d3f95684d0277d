"""Paid exposure is allotted: who of those present is shown which content of the pool.

Users are offered to the content that suits them best; content takes the best of who is offered, as many as it asked
for; who is left is offered to the next best, for some rounds (Gale & Shapley 1962, broken off).
"""

# B users present, P contents of the pool, K boosted slots of a page

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray
from reward_llm.agents.orchestrator.config import AllotmentConfig

NONE = -1
"""In the place of a content."""


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Impressions so far, of which some were boosted."""

    impressions: int = 0
    boosted: int = 0

    def room(self, fresh: int, share: float) -> int:
        """How many of `fresh` more impressions may be boosted, with at most `share` of all."""
        return max(0, int(share * (self.impressions + fresh)) - self.boosted)


def allotted(value_BP: FloatArray, capacity_P: IntArray, room: int, config: AllotmentConfig) -> IntArray:
    """Places in the pool for every user, `NONE` where there are none, of shape B by K.

    `value_BP` is minus infinity where a user isn't among a content's audience; `capacity_P` is how many impressions
    each content may have now, `room` how many all may have together.
    """
    users = len(value_BP)
    given_BK = np.full((users, config.a_page), NONE)
    left_P, open_BP = capacity_P.copy(), value_BP.copy()
    for slot in range(config.a_page):
        for _ in range(config.rounds):
            free_B = np.flatnonzero((given_BK[:, slot] == NONE) & np.isfinite(open_BP).any(1))
            if room <= 0 or not len(free_B) or not left_P.any():
                break
            wanted_X = open_BP[free_B].argmax(1)
            value_X = open_BP[free_B, wanted_X]
            is_taken_X = _best_of_each(wanted_X, value_X, left_P)
            is_taken_X &= _best_of_all(value_X, is_taken_X, room)
            taken_B, place_X = free_B[is_taken_X], wanted_X[is_taken_X]
            given_BK[taken_B, slot] = place_X
            left_P -= np.bincount(place_X, minlength=len(left_P))
            room -= len(taken_B)
            open_BP[free_B, wanted_X] = -np.inf
        open_BP[:, left_P <= 0] = -np.inf
    return given_BK


def _best_of_each(wanted_X: IntArray, value_X: FloatArray, left_P: IntArray) -> np.ndarray:
    """Whether a user is among the best offered to the content that it can still take."""
    order_X = np.lexsort((-value_X, wanted_X))
    sorted_X = wanted_X[order_X]
    first_X = np.searchsorted(sorted_X, sorted_X)
    rank_X = np.arange(len(sorted_X)) - first_X
    is_taken_X = np.empty(len(wanted_X), dtype=bool)
    is_taken_X[order_X] = rank_X < left_P[sorted_X]
    return is_taken_X


def _best_of_all(value_X: FloatArray, is_taken_X: np.ndarray, room: int) -> np.ndarray:
    """Whether a user is among the best `room` of those taken."""
    best_X = np.argsort(np.where(is_taken_X, -value_X, np.inf), kind="stable")[:room]
    is_best_X = np.zeros(len(value_X), dtype=bool)
    is_best_X[best_X] = True
    return is_best_X
