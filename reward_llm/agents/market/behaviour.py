"""What users like, look at and click: SARDINE's behaviour, for many users at once.

The equations are those of Deffayet et al., "SARDINE: A Simulator for Automated Recommendation in Dynamic and
Interactive Environments" (ACM TORS 2024), with boredom as a temporary loss of interest. Drift moves the taste towards
the mean embedding of what was clicked, topic by topic.
"""

# B users, N slate, T topics, R recent clicks

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reward_llm.agents.allocation import BoolArray, FloatArray, IntArray
from reward_llm.agents.market.config import ClickConfig, TasteConfig


def tastes(users: int, config: TasteConfig, *, topics: int, generator: np.random.Generator) -> FloatArray:
    """Draw users who like three to five topics of ten, or as many about `config.topics`; rows have length 1."""
    kept = generator.integers(config.topics - 1, config.topics + 2, users)
    rank_UT = generator.uniform(size=(users, topics)).argsort(1).argsort(1)
    taste_UT = generator.uniform(size=(users, topics)) * (rank_UT < kept[:, None])
    unit_UT: FloatArray = (taste_UT / np.linalg.norm(taste_UT, axis=1, keepdims=True)).astype(np.float32)
    return unit_UT


def examination(slots: int, config: ClickConfig) -> FloatArray:
    """Give the probability that each slot is looked at (position-based model)."""
    return np.power(config.examination, np.arange(slots)).astype(np.float32)


def relevance(score_BN: FloatArray, config: ClickConfig) -> FloatArray:
    """Give how relevant items are whose taste and topics match by this score."""
    return sigmoid((score_BN - config.offset) * config.slope)


def topic_counts(category_BN: IntArray, topics: int) -> IntArray:
    """Count the items of each topic on each page."""
    rows = len(category_BN)
    flat = (category_BN + topics * np.arange(rows)[:, None]).ravel()
    return np.bincount(flat, minlength=rows * topics).reshape(rows, topics)


def crowded(count_BT: IntArray, config: ClickConfig) -> BoolArray:
    """Tell which pages have too many items of one topic."""
    over: BoolArray = count_BT.max(axis=1, initial=0) >= config.crowd
    return over


def drifted(taste_BT: FloatArray, clicked_BN: BoolArray, topic_BNT: FloatArray, config: TasteConfig) -> FloatArray:
    """Give the tastes after a page; users without a click keep theirs."""
    count_B = clicked_BN.sum(1)
    mean_BT = np.einsum("bn,bnt->bt", clicked_BN.astype(np.float32), topic_BNT) / np.maximum(count_B, 1)[:, None]
    moved_BT = config.inertia * taste_BT + (1 - config.inertia) * mean_BT
    unit_BT = moved_BT / np.linalg.norm(moved_BT, axis=1, keepdims=True)
    return np.where(count_B[:, None] > 0, unit_BT, taste_BT).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boredom:
    """The last clicks of every user, and the topics that they have tired of."""

    topic_UR: IntArray
    """Ring of the last clicks."""
    page_UR: IntArray
    """The user's page on which each was made; far below 0 where there is none yet."""
    clicks_U: IntArray
    """Clicks so far, which is where the ring goes on."""
    pages_U: IntArray
    """Pages so far."""
    bored_UT: BoolArray
    left_UT: IntArray
    """Pages for which boredom lasts still."""

    @classmethod
    def none(cls, users: int, config: TasteConfig, *, topics: int) -> Boredom:
        """Give users who have clicked nothing."""
        return cls(
            topic_UR=np.zeros((users, config.recent), dtype=np.int64),
            page_UR=np.full((users, config.recent), -config.window - 1, dtype=np.int64),
            clicks_U=np.zeros(users, dtype=np.int64),
            pages_U=np.zeros(users, dtype=np.int64),
            bored_UT=np.zeros((users, topics), dtype=np.bool_),
            left_UT=np.full((users, topics), config.window, dtype=np.int64),
        )

    def page(
        self, users_B: IntArray, clicked_BN: BoolArray, category_BN: IntArray, config: TasteConfig
    ) -> tuple[BoolArray, IntArray]:
        """Take in a page; give who is bored with what, and the recent clicks by topic."""
        self._remember(users_B, clicked_BN, category_BN, config.recent)
        self.pages_U[users_B] += 1
        left_BT = self.left_UT[users_B] - self.bored_UT[users_B]
        bored_BT = self.bored_UT[users_B] & (left_BT != 0)
        left_BT[~bored_BT] = config.window
        count_BT = self._recent(users_B, config.window)
        bored_BT |= count_BT >= config.boredom
        self.bored_UT[users_B], self.left_UT[users_B] = bored_BT, left_BT
        return bored_BT, count_BT

    def _remember(self, users_B: IntArray, clicked_BN: BoolArray, category_BN: IntArray, recent: int) -> None:
        row, slot = np.nonzero(clicked_BN)
        if not len(row):
            return
        user = users_B[row]
        nth = clicked_BN.cumsum(1)[row, slot] - 1
        place = (self.clicks_U[user] + nth) % recent
        self.topic_UR[user, place] = category_BN[row, slot]
        self.page_UR[user, place] = self.pages_U[user]
        self.clicks_U[users_B] += clicked_BN.sum(1)

    def _recent(self, users_B: IntArray, window: int) -> IntArray:
        topics = self.bored_UT.shape[1]
        valid_BR = self.page_UR[users_B] >= (self.pages_U[users_B] - window)[:, None]
        flat = self.topic_UR[users_B] + topics * np.arange(len(users_B))[:, None]
        return np.bincount(flat[valid_BR], minlength=len(users_B) * topics).reshape(-1, topics)


def sigmoid(logit: FloatArray) -> FloatArray:
    """Give the logistic function."""
    share: FloatArray = np.reciprocal(1 + np.exp(-logit))
    return share
