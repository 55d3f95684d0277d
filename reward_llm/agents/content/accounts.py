"""What new content had of exposure and made of it, and the budget that follows.

    budget <- min(most, budget - cost + completion [completed] + share [shared])      after every boosted impression

Clicks bring in nothing: they can be bought. Content of a creator that was caught buying them loses its budget.
"""

# B users present, N slate, I items

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from reward_llm.agents.allocation import BoolArray, FloatArray, MarketView, StepOutcome
from reward_llm.agents.content.config import AccountConfig


@dataclass(slots=True, kw_only=True)
class Accounts:
    """The accounts of all items, by number; grows as they are published."""

    config: AccountConfig
    price: float
    """Money of a boosted impression that everybody looks at."""
    impressions_I: FloatArray
    looks_I: FloatArray
    """Expected: impressions by the examination of their slots."""
    clicks_I: FloatArray
    completions_I: FloatArray
    shares_I: FloatArray
    budget_I: FloatArray
    """Money."""
    spent_I: FloatArray
    """Money."""

    @classmethod
    def start(cls, config: AccountConfig, price: float) -> Accounts:
        """Nothing yet."""
        names = [field.name for field in fields(cls) if field.name.endswith("_I")]
        return cls(config=config, price=price, **{name: np.zeros(0, dtype=np.float32) for name in names})

    def __len__(self) -> int:
        return len(self.budget_I)

    def grow(self, view: MarketView) -> None:
        """Open accounts for what was published since; new content is granted a budget."""
        more = len(view.items.age_days_I) - len(self)
        is_new_X = view.items.is_new_I[len(self) :]
        for field in fields(self)[2:]:
            held_I = getattr(self, field.name)
            setattr(self, field.name, np.concatenate([held_I, np.zeros(more, dtype=np.float32)]))
        if more:
            self.budget_I[-more:] = self.config.grant * self.price * is_new_X

    def strip(self, caught_I: BoolArray) -> None:
        """Take the budget of what was caught."""
        self.budget_I[caught_I] = 0.0

    def observe(self, outcome: StepOutcome, examination_N: FloatArray) -> None:
        """Settle a page."""
        item_BN, config = outcome.item_BN, self.config
        self._add(self.impressions_I, item_BN, np.ones(item_BN.shape))
        self._add(self.looks_I, item_BN, np.broadcast_to(examination_N, item_BN.shape))
        self._add(self.clicks_I, item_BN, outcome.clicked_BN)
        self._add(self.completions_I, item_BN, outcome.completed_BN)
        self._add(self.shares_I, item_BN, outcome.shared_BN)
        self._add(self.spent_I, item_BN, outcome.cost_BN)
        earned_BN = config.completion * outcome.completed_BN + config.share * outcome.shared_BN
        self._add(self.budget_I, item_BN, outcome.boosted_BN * earned_BN * self.price - outcome.cost_BN)
        np.clip(self.budget_I, 0.0, config.most * self.price, out=self.budget_I)

    def _add(self, column_I: FloatArray, item_BN: np.ndarray, amount_BN: np.ndarray) -> None:
        column_I += np.bincount(item_BN.ravel(), amount_BN.ravel(), len(self)).astype(np.float32)
