"""A world that baselines can learn: users like one topic each, and click nothing else."""

# U users, I items, N slate, T topics, B users present

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reward_llm.agents.allocation import (
    NO_ITEM,
    UTILITIES,
    FloatArray,
    IntArray,
    ItemFacts,
    MarketView,
    Recommender,
    StepOutcome,
    UserFacts,
)
from reward_llm.domain.weights import Weights

TOPICS = 4
SLATE = 5
EXAMINATION_N = (0.85 ** np.arange(SLATE)).astype(np.float32)


def weights_of(**given: float) -> Weights:
    """The weights given, and nothing on the other utilities; without any, all on clicks."""
    given = given or {"click": 1.0}
    return Weights({name: given.get(name, 0.0) for name in UTILITIES})


@dataclass
class World:
    """Users by number like topic number modulo `TOPICS`, and so do items belong to them."""

    users: int = 40
    items: int = 80
    day: int = 0
    step: int = 0
    weights: Weights = field(default_factory=weights_of)
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.generator = np.random.default_rng(0)
        self.category_I = np.arange(self.items) % TOPICS
        self.liked_U = np.arange(self.users) % TOPICS
        self.shown_UT = np.zeros((self.users, TOPICS), dtype=np.float32)
        self.clicked_UT = np.zeros((self.users, TOPICS), dtype=np.float32)
        self.impressions_I = np.zeros(self.items, dtype=np.float32)
        self.clicks_I = np.zeros(self.items, dtype=np.float32)

    def view(self) -> MarketView:
        """What is on record now; `facts` replaces columns of the items."""
        users, zeros_U = self.users, np.zeros(self.users)
        zeros_I = np.zeros(self.items, dtype=np.float32)
        columns: dict[str, Any] = {
            "age_days_I": np.full(self.items, 30),
            "is_new_I": np.zeros(self.items, dtype=np.bool_),
            "creator_I": np.arange(self.items) % 8,
            "seller_I": np.arange(self.items) % 8,
            "group_I": np.zeros(self.items, dtype=np.int64),
            "category_I": self.category_I,
            "topic_IT": np.eye(TOPICS, dtype=np.float32)[self.category_I],
            "price_I": zeros_I,
            "preview_I": np.full(self.items, 0.5, dtype=np.float32),
            "impressions_I": self.impressions_I,
            "clicks_I": self.clicks_I,
            "completions_I": zeros_I,
            "shares_I": zeros_I,
            "purchases_I": zeros_I,
            "revenue_I": zeros_I,
            "dwell_s_I": zeros_I,
            "caught_I": np.zeros(self.items, dtype=np.bool_),
        }
        return MarketView(
            day=self.day,
            step=self.step,
            days=30,
            weights=self.weights,
            users=UserFacts(
                tenure_days_U=np.full(users, 50),
                active_days_U=np.full(users, 20),
                pages_U=np.zeros(users, dtype=np.int64),
                recent_UT=np.zeros((users, TOPICS), dtype=np.float32),
                shown_UT=self.shown_UT,
                clicked_UT=self.clicked_UT,
                completed_UT=self.clicked_UT,
                dwell_s_U=zeros_U.astype(np.float32),
                spent_U=zeros_U.astype(np.float32),
                history_UH=np.full((users, 5), NO_ITEM),
                depth_UH=np.zeros((users, 5), dtype=np.int64),
            ),
            items=ItemFacts(**{**columns, **self.facts}),
            examination_N=EXAMINATION_N,
            boost_price=0.01,
            new_days=7,
        )

    def react(self, users_B: IntArray, item_BN: IntArray) -> StepOutcome:
        """Who looks at what they like, clicks it half of the time."""
        self.step += 1
        likes_BN = self.category_I[item_BN] == self.liked_U[users_B, None]
        chance_BN: FloatArray = 0.5 * EXAMINATION_N * likes_BN
        clicked_BN = self.generator.random(item_BN.shape) < chance_BN
        np.add.at(self.impressions_I, item_BN, 1)
        np.add.at(self.clicks_I, item_BN, clicked_BN)
        np.add.at(self.shown_UT, (users_B[:, None], self.category_I[item_BN]), 1)
        np.add.at(self.clicked_UT, (users_B[:, None], self.category_I[item_BN]), clicked_BN)
        nothing_BN = np.zeros(item_BN.shape, dtype=np.float32)
        return StepOutcome(
            day=self.day,
            step=self.step,
            users_B=users_B,
            item_BN=item_BN,
            boosted_BN=nothing_BN > 0,
            cost_BN=nothing_BN,
            clicked_BN=clicked_BN,
            dwell_s_BN=nothing_BN,
            completed_BN=clicked_BN,
            shared_BN=nothing_BN > 0,
            bought_BN=nothing_BN > 0,
            value_BN=nothing_BN,
            left_B=np.zeros(len(users_B), dtype=np.bool_),
        )

    def teach(self, recommender: Recommender, days: int = 3, pages: int = 12) -> None:
        """Have it see random slates for some days, and begin the next."""
        recommender.begin(self.view(), np.random.default_rng(1))
        users_B = np.arange(self.users)
        for self.day in range(-days, 0):
            recommender.begin_day(self.view())
            for _ in range(pages):
                item_BN = np.stack([self.generator.permutation(self.items)[:SLATE] for _ in users_B])
                recommender.observe(self.react(users_B, item_BN))
            recommender.end_day(self.view())
        self.day = 0
        recommender.begin_day(self.view())
