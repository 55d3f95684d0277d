"""A page is put together: the worthiest items, of several topics."""

# B users present, I items, M shortlist, N slate

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from reward_llm.agents.allocation import BoolArray, FloatArray, IntArray
from reward_llm.agents.orchestrator.config import PageConfig

BARRED: Final = -1e9
"""The worth of what is shown only if nothing else is left."""
TIRING: Final = 1e6
"""What an item loses that would be one of too many alike in a row."""


@dataclass(frozen=True, slots=True)
class Rivals:
    """What is sold competes with what is sold on the same topic."""

    is_sold_I: BoolArray
    loss: float
    """Share of its worth that an item loses for each rival that stands in the page already."""


def filled(
    worth_BI: FloatArray,
    category_I: IntArray,
    size: int,
    config: PageConfig,
    rivals: Rivals | None = None,
    behind_I: FloatArray | None = None,
) -> IntArray:
    """Pages of `size` items, chosen slot by slot.

    An item's worth shrinks with each one of its topic that stands in the page, and more if both are sold. Three of a
    topic in a row, and more than `config.most` of it, don't occur where the shortlist has anything else. An item of
    worth minus infinity is shown only where nothing else is left. `behind_I` is what items lose when those that were
    chosen are put in order.
    """
    count = min(max(config.shortlist, size), worth_BI.shape[1])
    short_BM = np.argpartition(-worth_BI, count - 1, axis=1)[:, :count]
    left_BM = np.take_along_axis(worth_BI, short_BM, axis=1).astype(np.float64)
    topic_BM = category_I[short_BM]
    page_BN = np.empty((len(worth_BI), size), dtype=np.int64)
    topic_BN = np.full((len(worth_BI), size), -1)
    value_BN = np.empty((len(worth_BI), size))
    alike_BM = np.zeros(short_BM.shape, dtype=np.int64)
    rows_B = np.arange(len(worth_BI))
    is_barred_BM = ~np.isfinite(left_BM)
    # What shrinks has to be positive, or it would grow.
    least_B1 = np.where(is_barred_BM, 0.0, left_BM).min(1, keepdims=True)
    left_BM = np.where(is_barred_BM, BARRED, left_BM - np.minimum(least_B1, 0.0))
    keep = np.where(is_barred_BM, 1.0, 1 - config.variety)
    rivals = rivals or Rivals(np.zeros(worth_BI.shape[1], dtype=np.bool_), 0.0)
    beside_BM = np.where(is_barred_BM, 1.0, 1 - rivals.loss * rivals.is_sold_I[short_BM])
    for slot in range(size):
        tires_BM = _tires(topic_BN[:, :slot], topic_BM, config.alike) | (alike_BM >= config.most)
        best_B = np.where(tires_BM, left_BM - TIRING, left_BM).argmax(1)
        page_BN[:, slot], topic_BN[:, slot] = short_BM[rows_B, best_B], topic_BM[rows_B, best_B]
        value_BN[:, slot] = left_BM[rows_B, best_B]
        is_alike_BM = topic_BM == topic_BN[:, slot, None]
        alike_BM += is_alike_BM
        left_BM = np.where(is_alike_BM, left_BM * keep, left_BM)
        is_rival_BM = is_alike_BM & rivals.is_sold_I[page_BN[:, slot]][:, None]
        left_BM = np.where(is_rival_BM, left_BM * beside_BM, left_BM)
        left_BM[rows_B, best_B] = -np.inf
    if behind_I is None:
        return page_BN
    return _in_order(page_BN, value_BN - behind_I[page_BN], topic_BN, config)


def _in_order(
    page_BN: IntArray, value_BN: npt.NDArray[np.float64], topic_BN: IntArray, config: PageConfig
) -> IntArray:
    """The items of each page by value, as far as three of a topic in a row don't come of it."""
    made_BN, made_topic_BN, left_BN = np.empty_like(page_BN), np.empty_like(topic_BN), value_BN.copy()
    rows_B = np.arange(len(page_BN))
    for slot in range(page_BN.shape[1]):
        tires_BN = _tires(made_topic_BN[:, :slot], topic_BN, config.alike)
        best_B = np.where(tires_BN, left_BN - TIRING, left_BN).argmax(1)
        made_BN[:, slot], made_topic_BN[:, slot] = page_BN[rows_B, best_B], topic_BN[rows_B, best_B]
        left_BN[rows_B, best_B] = -np.inf
    return made_BN


def _tires(topic_BX: IntArray, topic_BM: IntArray, alike: int) -> BoolArray:
    """Whether an item would be one of as many alike in a row."""
    if topic_BX.shape[1] < alike - 1:
        return np.zeros(topic_BM.shape, dtype=bool)
    last_BX = topic_BX[:, -(alike - 1) :]
    tires_BM: BoolArray = (last_BX[:, :, None] == topic_BM[:, None, :]).all(1)
    return tires_BM


def with_boosts(page_BN: IntArray, boosted_BP: IntArray, place: float) -> tuple[IntArray, BoolArray]:
    """Pages with boosted items let in from a place on, every second slot; what they push out was last.

    `boosted_BP` has -1 for none, and what a page has already is moved, not doubled; `place` is 0 at the top and 1 at
    the end.
    """
    size = page_BN.shape[1]
    page_BN, is_boosted_BN = page_BN.copy(), np.zeros(page_BN.shape, dtype=bool)
    for order in range(boosted_BP.shape[1]):
        has_B = boosted_BP[:, order] >= 0
        slot = min(size - 1, round(place * (size - 1)) + 2 * order)
        rest_BN, item_B = page_BN[has_B], boosted_BP[has_B, order]
        marks_BN = is_boosted_BN[has_B]
        is_it_BN = rest_BN == item_B[:, None]
        gone_B = np.where(is_it_BN.any(1), is_it_BN.argmax(1), _last_plain(marks_BN))
        keep_BN = np.arange(size) != gone_B[:, None]
        rest_BX, kept_BX = rest_BN[keep_BN].reshape(-1, size - 1), marks_BN[keep_BN].reshape(-1, size - 1)
        page_BN[has_B] = np.concatenate([rest_BX[:, :slot], item_B[:, None], rest_BX[:, slot:]], axis=1)
        one_B1 = np.ones((len(item_B), 1), dtype=bool)
        is_boosted_BN[has_B] = np.concatenate([kept_BX[:, :slot], one_B1, kept_BX[:, slot:]], axis=1)
    return page_BN, is_boosted_BN


def _last_plain(is_boosted_BN: np.ndarray) -> np.ndarray:
    size = is_boosted_BN.shape[1]
    last_B: np.ndarray = size - 1 - (~is_boosted_BN)[:, ::-1].argmax(1)
    return last_B
