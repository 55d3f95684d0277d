"""What estimates read of users and items, beside who and which they are."""

# B users present, N slate, I items, U users, F facts

from __future__ import annotations

from typing import Final

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray, MarketView, StepOutcome

PAIR_FACTS: Final = 4
"""The topic's share of the recent clicks, weariness of it, times seen, whether clicked before."""
ITEM_FACTS: Final = 4
"""Age, preview, whether it sells, its price."""
FACTS: Final = PAIR_FACTS + ITEM_FACTS
_AGEING_DAYS: Final = 10.0
_TIRED: Final = 0.95
"""A topic's share of the recent clicks, relative to what tires, from which on it does."""
_WEARY_PAGES: Final = 5
"""Pages for which a user stays tired of a topic."""
_MOST_SEEN: Final = 250
_USUAL_PRICE: Final = 35.0


class Past:
    """What every user was shown and has clicked, and what facts follow from it.

    A view shows the present: by the time a page's outcome is known, it shows what came of it. What was known when the
    page was filled is therefore kept here.
    """

    def __init__(self, topics: int) -> None:
        self.seen_UI = np.zeros((0, 0), dtype=np.uint8)
        self.had_UI = np.zeros((0, 0), dtype=np.bool_)
        self.recent_UT = np.zeros((0, topics), dtype=np.float32)
        self.weary_UT = np.zeros((0, topics), dtype=np.int64)
        """Pages for which a user is taken to be tired of a topic still."""
        self.today_UT = np.zeros((0, topics), dtype=np.float32)
        """Clicks of the day, by main topic."""

    def begin_day(self, users: int, items: int) -> None:
        """Make room for new users and items, and count the day's clicks anew."""
        more_users, more_items = (0, users - self.seen_UI.shape[0]), (0, items - self.seen_UI.shape[1])
        self.seen_UI = np.pad(self.seen_UI, (more_users, more_items))
        self.had_UI = np.pad(self.had_UI, (more_users, more_items))
        self.recent_UT = np.pad(self.recent_UT, (more_users, (0, 0)))
        self.weary_UT = np.pad(self.weary_UT, (more_users, (0, 0)))
        self.today_UT = np.zeros(self.recent_UT.shape, dtype=np.float32)

    def observe(self, view: MarketView, outcome: StepOutcome) -> None:
        """Take note of a page."""
        users_B, rows_B1 = outcome.users_B, outcome.users_B[:, None]
        self.seen_UI[rows_B1, outcome.item_BN] = np.minimum(self.seen_UI[rows_B1, outcome.item_BN], _MOST_SEEN) + 1
        self.had_UI[rows_B1, outcome.item_BN] |= outcome.clicked_BN
        row_X, slot_X = np.nonzero(outcome.clicked_BN)
        category_X = view.items.category_I[outcome.item_BN[row_X, slot_X]]
        np.add.at(self.today_UT, (users_B[row_X], category_X), 1)
        recent_BT = view.users.recent_UT[users_B]
        self.recent_UT[users_B] = recent_BT
        left_BT = np.maximum(self.weary_UT[users_B] - 1, 0)
        self.weary_UT[users_B] = np.where(recent_BT > _TIRED, _WEARY_PAGES, left_BT)

    def pairs_at(self, view: MarketView, users_B: IntArray, item_BN: IntArray) -> FloatArray:
        """The same facts of what stands in pages alone, side by side."""
        topic_BNT, rows_B1 = view.items.topic_IT[item_BN], users_B[:, None]
        weary_BT = (self.weary_UT[users_B] > 0).astype(np.float32)
        recent_BN, weary_BN = (
            np.einsum("bnt,bt->bn", topic_BNT, held_BT) for held_BT in (self.recent_UT[users_B], weary_BT)
        )
        seen_BN = np.log1p(self.seen_UI[rows_B1, item_BN].astype(np.float32))
        return np.stack([recent_BN, weary_BN, seen_BN, self.had_UI[rows_B1, item_BN].astype(np.float32)], axis=-1)

    def pairs(self, view: MarketView, users_B: IntArray) -> tuple[FloatArray, ...]:
        """The facts of users and all items, an array each."""
        topic_TI = view.items.topic_IT.T
        recent_BI = self.recent_UT[users_B] @ topic_TI
        weary_BI = (self.weary_UT[users_B] > 0).astype(np.float32) @ topic_TI
        seen_BI = np.log1p(self.seen_UI[users_B].astype(np.float32))
        return recent_BI, weary_BI, seen_BI, self.had_UI[users_B].astype(np.float32)


def item_facts(view: MarketView) -> FloatArray:
    """A row for each item."""
    items = view.items
    sells_I = items.price_I > 0
    columns = (
        1 - np.exp(-items.age_days_I / _AGEING_DAYS),
        items.preview_I - 0.5,
        sells_I,
        np.where(sells_I, np.log(np.maximum(items.price_I, 1e-3) / _USUAL_PRICE), 0.0),
    )
    return np.stack(columns, axis=1).astype(np.float32)
