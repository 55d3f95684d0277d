"""What showing an item is worth by the served weights.

    worth(u, i) = sum over utilities k of w_k U_k(u, i) / scale_k

where U_k is the estimate for the utility, and scale_k its running mean over what was shown, so that a weight means
the same whatever a utility is measured in.
"""

# B users present, I items, T topics, N slate

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from reward_llm.agents.allocation import UTILITIES, FloatArray, IntArray, MarketView
from reward_llm.agents.orchestrator.estimates import Prospects

MEMORY: Final = 0.99
"""Share of a scale that a page leaves as it was."""
DISAPPOINTMENT: Final = 0.3
"""What a click that isn't completed takes, relative to what a completed one gives."""
LEAST: Final = 1e-6
"""Scales don't fall below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gains:
    """The estimate for each utility, for users and all items, unscaled."""

    by_utility: Mapping[str, FloatArray]

    @classmethod
    def of(cls, view: MarketView, today_BT: FloatArray, prospects: Prospects, need_I: FloatArray) -> Gains:
        """By the prospects; what is no matter of taste counts as far as the item is clicked at all.

        `today_BT` has the day's clicks of the users present, by main topic; `need_I` is how much a completed view
        helps new content.
        """
        items, click_BI = view.items, prospects.click_BI
        pleased_BI = prospects.completion_BI - DISAPPOINTMENT * (1 - prospects.completion_BI)
        satisfaction_BI = click_BI * np.maximum(pleased_BI, 0.0) * np.sqrt(prospects.dwell_s_I)
        novelty_BI = novelty(today_BT, items.category_I)
        groups = max(1, int(items.group_I.max(initial=0)))
        gains = {
            "click": click_BI,
            "gmv": click_BI * prospects.purchase_BI * items.price_I,
            "satisfaction": satisfaction_BI,
            "retention": satisfaction_BI * (0.5 + novelty_BI),
            "diversity": click_BI * novelty_BI,
            "cold_start": click_BI * prospects.completion_BI * (need_I * items.is_new_I),
            "group_order": click_BI * (1 - items.group_I / groups),
        }
        return cls(by_utility={name: gain_BI.astype(np.float32) for name, gain_BI in gains.items()})


class Scales:
    """The running mean of every utility's estimate over what was shown."""

    def __init__(self) -> None:
        self.by_utility = dict.fromkeys(UTILITIES, 0.0)
        self._weight = 0.0

    def follow(self, gains: Gains, item_BN: IntArray) -> None:
        """Take note of a page that is shown."""
        self._weight = MEMORY * self._weight + (1 - MEMORY)
        rate = (1 - MEMORY) / self._weight
        for name, gain_BI in gains.by_utility.items():
            shown = float(np.take_along_axis(gain_BI, item_BN, axis=1).mean())
            self.by_utility[name] += rate * (shown - self.by_utility[name])

    def scaled(self, gains: Gains, utility: str) -> FloatArray:
        """A utility's estimate relative to its scale; as it is, before anything was shown."""
        scale = self.by_utility[utility]
        return gains.by_utility[utility] / max(scale, LEAST) if self._weight else gains.by_utility[utility]


def worth(gains: Gains, scales: Scales, weights: Mapping[str, float]) -> FloatArray:
    """The weighted sum; utilities that a market doesn't know count for nothing."""
    known = [name for name in UTILITIES if name in weights]
    parts = (np.float32(weights[name]) * scales.scaled(gains, name) for name in known)
    total_BI: FloatArray = np.sum(np.stack(list(parts)), axis=0)
    return total_BI


def novelty(clicked_BT: FloatArray, category_I: IntArray) -> FloatArray:
    """How little of a user's clicks an item's topic has had, in [0, 1]; 1 is none, or no clicks at all."""
    share_BT = clicked_BT / np.maximum(clicked_BT.sum(1, keepdims=True), 1.0)
    most_B1 = np.maximum(share_BT.max(1, keepdims=True), 1 / share_BT.shape[1])
    fresh_BI: FloatArray = (1 - share_BT / most_B1)[:, category_I]
    return fresh_BI
