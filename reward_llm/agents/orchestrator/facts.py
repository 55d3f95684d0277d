"""What estimates read of users and items, beside who and which they are."""

# B users present, N slate, I items, U users, F facts

from __future__ import annotations

from typing import Final

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray, MarketView, StepOutcome

PAIR_FACTS: Final = 5
"""The topic's share of the recent clicks, weariness of it, times seen, whether clicked before, likeness to the
profile."""
ITEM_FACTS: Final = 5
"""One, age, preview, whether it sells, its price."""
FACTS: Final = PAIR_FACTS + ITEM_FACTS
_AGEING_DAYS: Final = 10.0
_TIRED: Final = 0.95
"""A topic's share of the recent clicks, relative to what tires, from which on it does."""
_WEARY_PAGES: Final = 5
"""Pages for which a user stays tired of a topic."""
_MOST_SEEN: Final = 250
_PROFILE_KEPT: Final = 0.95
"""Share of a profile that a page with clicks leaves as it was."""
_SMALLEST: Final = 1e-6
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
        self.clicked_UT = np.zeros((0, topics), dtype=np.float32)
        """Topics of the clicks, an exponentially weighted mean over the pages with any, begun at 0."""
        self._mass_U = np.zeros(0, dtype=np.float32)
        """Share of that mean that is no longer the 0 that it began with."""

    def begin_day(self, users: int, items: int) -> None:
        """Make room for new users and items, and count the day's clicks anew."""
        more_users, more_items = (0, users - self.seen_UI.shape[0]), (0, items - self.seen_UI.shape[1])
        self.seen_UI = np.pad(self.seen_UI, (more_users, more_items))
        self.had_UI = np.pad(self.had_UI, (more_users, more_items))
        self.recent_UT = np.pad(self.recent_UT, (more_users, (0, 0)))
        self.weary_UT = np.pad(self.weary_UT, (more_users, (0, 0)))
        self.clicked_UT = np.pad(self.clicked_UT, (more_users, (0, 0)))
        self._mass_U = np.pad(self._mass_U, more_users)
        self.today_UT = np.zeros(self.recent_UT.shape, dtype=np.float32)

    def observe(self, view: MarketView, outcome: StepOutcome) -> None:
        """Take note of a page."""
        users_B, rows_B1 = outcome.users_B, outcome.users_B[:, None]
        self.seen_UI[rows_B1, outcome.item_BN] = np.minimum(self.seen_UI[rows_B1, outcome.item_BN], _MOST_SEEN) + 1
        self.had_UI[rows_B1, outcome.item_BN] |= outcome.clicked_BN
        row_X, slot_X = np.nonzero(outcome.clicked_BN)
        category_X = view.items.category_I[outcome.item_BN[row_X, slot_X]]
        np.add.at(self.today_UT, (users_B[row_X], category_X), 1)
        self._follow_profiles(view, outcome)
        recent_BT = view.users.recent_UT[users_B]
        self.recent_UT[users_B] = recent_BT
        left_BT = np.maximum(self.weary_UT[users_B] - 1, 0)
        self.weary_UT[users_B] = np.where(recent_BT > _TIRED, _WEARY_PAGES, left_BT)

    def profile(self, users_B: IntArray) -> FloatArray:
        """What users' clicks are about, shorter than 1 as far as they are few, and without what tires them."""
        mean_BT = self.clicked_UT[users_B] * self.open(users_B)
        length_B1 = np.linalg.norm(self.clicked_UT[users_B], axis=1, keepdims=True)
        profile_BT: FloatArray = mean_BT * (self._mass_U[users_B, None] / np.maximum(length_B1, _SMALLEST))
        return profile_BT

    def _follow_profiles(self, view: MarketView, outcome: StepOutcome) -> None:
        count_B = outcome.clicked_BN.sum(1)
        has_B = count_B > 0
        users_B, clicked_BN = outcome.users_B[has_B], outcome.clicked_BN[has_B].astype(np.float32)
        topic_BNT = view.items.topic_IT[outcome.item_BN[has_B]]
        mean_BT = np.einsum("bn,bnt->bt", clicked_BN, topic_BNT) / count_B[has_B, None]
        kept = _PROFILE_KEPT
        self.clicked_UT[users_B] = kept * self.clicked_UT[users_B] + (1 - kept) * mean_BT
        self._mass_U[users_B] = kept * self._mass_U[users_B] + (1 - kept)

    def open(self, users_B: IntArray) -> FloatArray:
        """For each topic 1, or 0 while a user is taken to be tired of it; shape B by T."""
        open_BT: FloatArray = (self.weary_UT[users_B] == 0).astype(np.float32)
        return open_BT

    def pairs_at(self, view: MarketView, users_B: IntArray, item_BN: IntArray) -> FloatArray:
        """The same facts of what stands in pages alone, side by side."""
        topic_BNT, rows_B1 = view.items.topic_IT[item_BN], users_B[:, None]
        weary_BT = (self.weary_UT[users_B] > 0).astype(np.float32)
        recent_BN, weary_BN = (
            np.einsum("bnt,bt->bn", topic_BNT, held_BT) for held_BT in (self.recent_UT[users_B], weary_BT)
        )
        seen_BN = np.log1p(self.seen_UI[rows_B1, item_BN].astype(np.float32))
        had_BN = self.had_UI[rows_B1, item_BN].astype(np.float32)
        like_BN = np.einsum("bnt,bt->bn", topic_BNT, self.profile(users_B))
        return np.stack([recent_BN, weary_BN, seen_BN, had_BN, like_BN], axis=-1)

    def pairs(self, view: MarketView, users_B: IntArray) -> tuple[FloatArray, ...]:
        """The facts of users and all items, an array each."""
        topic_TI = view.items.topic_IT.T
        recent_BI = self.recent_UT[users_B] @ topic_TI
        weary_BI = (self.weary_UT[users_B] > 0).astype(np.float32) @ topic_TI
        seen_BI = np.log1p(self.seen_UI[users_B].astype(np.float32))
        like_BI = self.profile(users_B) @ topic_TI
        return recent_BI, weary_BI, seen_BI, self.had_UI[users_B].astype(np.float32), like_BI


def item_facts(view: MarketView) -> FloatArray:
    """A row for each item."""
    items = view.items
    sells_I = items.price_I > 0
    columns = (
        np.ones(len(items.age_days_I)),
        1 - np.exp(-items.age_days_I / _AGEING_DAYS),
        items.preview_I - 0.5,
        sells_I,
        np.where(sells_I, np.log(np.maximum(items.price_I, 1e-3) / _USUAL_PRICE), 0.0),
    )
    return np.stack(columns, axis=1).astype(np.float32)
