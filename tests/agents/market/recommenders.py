"""Recommenders that need no learning, for tests of the market."""

from __future__ import annotations

import numpy as np

from reward_llm.agents.allocation import IntArray, MarketView, Slates, StepOutcome
from reward_llm.domain.weights import Weights

WEIGHTS = Weights(
    {
        "click": 0.25,
        "gmv": 0.2,
        "satisfaction": 0.15,
        "retention": 0.15,
        "diversity": 0.1,
        "cold_start": 0.1,
        "group_order": 0.05,
    }
)


class Uniform:
    """Shows every published item equally often."""

    def begin(self, view: MarketView, generator: np.random.Generator) -> None:
        self.generator = generator
        self.outcomes: list[StepOutcome] = []

    def begin_day(self, view: MarketView) -> None:
        pass

    def slates(self, view: MarketView, users_B: IntArray) -> Slates:
        return Slates.plain(random_slates(view, len(users_B), self.generator))

    def observe(self, outcome: StepOutcome) -> None:
        self.outcomes.append(outcome)

    def end_day(self, view: MarketView) -> None:
        pass


class OneTopic(Uniform):
    """Shows nothing but one topic."""

    def slates(self, view: MarketView, users_B: IntArray) -> Slates:
        item_M = np.flatnonzero(view.items.category_I == 0)
        key_BM = self.generator.random((len(users_B), len(item_M)))
        return Slates.plain(item_M[key_BM.argsort(1)[:, : view.slate]])


class Ideal(Uniform):
    """Knows what nobody may know: tastes and quality; keeps pages mixed."""

    def __init__(self, market) -> None:
        self.market = market

    def slates(self, view: MarketView, users_B: IntArray) -> Slates:
        minds, catalogue = self.market.users.minds, self.market.catalogue
        items = len(view.items.age_days_I)
        interest_BT = np.where(minds.boredom.bored_UT[users_B], 0, minds.taste_UT[users_B])
        match_BI = interest_BT @ catalogue.topic_IT[:items].T
        score_BI = (match_BI + 0.3 * catalogue.quality_I[:items]) * ~minds.clicked_UI[users_B][:, :items]
        slate_BN = np.empty((len(users_B), view.slate), dtype=np.int64)
        row = np.arange(len(users_B))
        for slot in range(view.slate):
            slate_BN[:, slot] = score_BI.argmax(1)
            score_BI[row, slate_BN[:, slot]] = -1
            same_BI = view.items.category_I[None, :] == view.items.category_I[slate_BN[:, slot]][:, None]
            score_BI *= np.where(same_BI, 0.8, 1.0)
        return Slates.plain(slate_BN)


def random_slates(view: MarketView, users: int, generator: np.random.Generator) -> IntArray:
    key_BI = generator.random((users, len(view.items.age_days_I)))
    return key_BI.argsort(1)[:, : view.slate]
