"""What all baselines share: a relevance for every item, weighed by the served weights, and slates of the best."""

# B users present, I items, N slate

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray, MarketView, Recommender, Slates, StepOutcome
from reward_llm.agents.baselines.filling import fill
from reward_llm.agents.baselines.memory import ClickedItems
from reward_llm.agents.baselines.worth import ClickWorth, score

_SEEN: Final = np.float32(-1e3)
"""What users have clicked before comes after all else."""


class ScoredRecommender(Recommender, ABC):
    """Says how relevant items are; the rest follows from the weights.

    A subclass may learn in `begin`, `begin_day` and `observe`, and calls these first.
    """

    def begin(self, view: MarketView, generator: np.random.Generator) -> None:
        """Start afresh."""
        self._generator = generator
        self._clicked = ClickedItems()
        self._clicked.make_room(view)
        self._worth = ClickWorth.of(view.items)

    def begin_day(self, view: MarketView) -> None:
        """Measure again what clicks on each item bring."""
        self._clicked.make_room(view)
        self._worth = ClickWorth.of(view.items)

    @abstractmethod
    def relevance(self, view: MarketView, users_B: IntArray) -> FloatArray:
        """Give how likely each user clicks each item when they look at it, on any scale from 0; shape B, I."""

    def slates(self, view: MarketView, users_B: IntArray) -> Slates:
        """Fill slates with the items of the highest score."""
        score_BI = score(view, users_B, self.relevance(view, users_B), self._worth)
        score_BI += _SEEN * self._clicked.clicked_UI[users_B]
        item_BN = fill(score_BI, view.items.category_I, view.slate, view.weights["diversity"])
        return Slates.plain(item_BN)

    def observe(self, outcome: StepOutcome) -> None:
        """Note who clicked what."""
        self._clicked.add(outcome)
