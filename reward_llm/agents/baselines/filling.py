"""From scores to slates: the best first, with less for what stands beside its like."""

# B users present, I items, N slots, M candidates

from __future__ import annotations

from typing import Final

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray

_CANDIDATES: Final = 60
"""Items with the highest scores, of which slates are filled."""
_TAKEN: Final = np.float32(-1e9)


def fill(score_BI: FloatArray, category_I: IntArray, slots: int, repetition: float) -> IntArray:
    """Fill the slots greedily; each item of a category costs those after it `repetition`.

    Returns:
        Item numbers, of shape B, N.
    """
    users, items = score_BI.shape
    most = min(max(_CANDIDATES, slots), items)
    item_BM = np.argpartition(-score_BI, most - 1, axis=1)[:, :most]
    left_BM = np.take_along_axis(score_BI, item_BM, axis=1)
    category_BM = category_I[item_BM]
    row_B = np.arange(users)
    item_BN = np.empty((users, slots), dtype=np.int64)
    for slot in range(slots):
        best_B = left_BM.argmax(axis=1)
        item_BN[:, slot] = item_BM[row_B, best_B]
        left_BM -= np.float32(repetition) * (category_BM == category_BM[row_B, best_B, None])
        left_BM[row_B, best_B] = _TAKEN
    return item_BN


def put_in(item_BN: IntArray, slot: int, item_B: IntArray) -> None:
    """Put an item into a slot of each slate; where it stands elsewhere in the slate, the two change places."""
    row_B = np.arange(len(item_BN))
    stands_BN = item_BN == item_B[:, None]
    at_B = np.where(stands_BN.any(axis=1), stands_BN.argmax(axis=1), slot)
    item_BN[row_B, at_B] = item_BN[:, slot]
    item_BN[:, slot] = item_B
