"""The two recommenders that learn nothing of anybody: what is popular, and anything."""

# B users present, I items

from __future__ import annotations

from typing import Final

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray, MarketView, Slates, StepOutcome
from reward_llm.agents.baselines.scored import ScoredRecommender

_PRIOR_IMPRESSIONS: Final = 20.0


class Popular(ScoredRecommender):
    """Shows everybody what is clicked most often where it is shown."""

    def relevance(self, view: MarketView, users_B: IntArray) -> FloatArray:
        """Give the click rate of every item, the same for all users."""
        return np.tile(click_rate(view), (len(users_B), 1))


class Random:
    """Shows anything, whatever the weights."""

    def begin(self, view: MarketView, generator: np.random.Generator) -> None:
        """Start afresh."""
        self._generator = generator

    def begin_day(self, view: MarketView) -> None:
        """Do nothing."""

    def slates(self, view: MarketView, users_B: IntArray) -> Slates:
        """Draw every slate."""
        drawn_BI = self._generator.random((len(users_B), len(view.items.age_days_I)), dtype=np.float32)
        return Slates.plain(np.argpartition(drawn_BI, view.slate, axis=1)[:, : view.slate])

    def observe(self, outcome: StepOutcome) -> None:
        """Learn nothing."""

    def end_day(self, view: MarketView) -> None:
        """Do nothing."""


def click_rate(view: MarketView) -> FloatArray:
    """Give the click rate of every item, drawn to that of all where there were few impressions."""
    items = view.items
    overall = float(items.clicks_I.sum()) / max(float(items.impressions_I.sum()), 1.0)
    rate_I: FloatArray = (items.clicks_I + _PRIOR_IMPRESSIONS * overall) / (items.impressions_I + _PRIOR_IMPRESSIONS)
    return rate_I.astype(np.float32)
