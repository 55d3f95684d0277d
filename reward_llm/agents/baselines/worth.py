"""What a shown item is worth by the served weights, given how likely it is clicked.

With r the lift of a click on item i by user u, the score is

    r · (w_click + w_gmv · v_i + w_satisfaction · s_i + w_retention · s_i)
      + w_cold_start · 2 · [i is new] + w_group_order / (1 + group_i) - (w_diversity + w_retention) · t_u · topics_i

v_i and s_i are money and satisfaction that a click on the item has brought, relative to the average click; t_u are
the topics of the user's last clicks, which is what they are about to tire of. A lift of 1 is two standard deviations
above the mean of all items for the user, so that every term is of the size of its weight.
"""

# B users present, I items, T topics

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray, ItemFacts, MarketView

_PRIOR_CLICKS: Final = 10.0
"""Average clicks that every item is credited with."""
_NOVELTY: Final = 2.0
_DEVIATIONS: Final = 2.0
_MOST_LIFT: Final = 5.0
_MOST_VALUE: Final = 5.0
"""An item that sold once by chance isn't worth a hundred times the average."""
_NEVER: Final = np.float32(-1e6)
_SMALLEST: Final = 1e-9


@dataclass(frozen=True, slots=True)
class ClickWorth:
    """What a click on each item brings, relative to the average click."""

    value_I: FloatArray
    """In money."""
    satisfaction_I: FloatArray
    """In completed views, shares and time."""

    @classmethod
    def of(cls, items: ItemFacts) -> ClickWorth:
        """Measure it on what is on record; the first look at an item's quality is its prior."""
        looks_I: FloatArray = items.preview_I / np.float32(max(float(items.preview_I.mean()), _SMALLEST))
        prior_I = np.clip(looks_I, 0.5, 1.5)
        completed_I = _relative(items.completions_I, items.clicks_I, prior_I)
        stayed_I = _relative(items.dwell_s_I, items.clicks_I, prior_I)
        sold_I = items.price_I > 0
        sells_I: FloatArray = (sold_I / max(float(sold_I.mean()), _SMALLEST)).astype(np.float32)
        value_I = _relative(items.revenue_I, items.clicks_I, sells_I)
        return cls(np.minimum(value_I, np.float32(_MOST_VALUE)), (completed_I + stayed_I) * np.float32(0.5))


def score(view: MarketView, users_B: IntArray, relevance_BI: FloatArray, worth: ClickWorth) -> FloatArray:
    """Give the score of every item for these users; items of convicted creators are never worth showing."""
    w, items = view.weights, view.items
    of_click_I = (
        w["click"] + w["gmv"] * worth.value_I + (w["satisfaction"] + w["retention"]) * worth.satisfaction_I
    ).astype(np.float32)
    by_itself_I = w["cold_start"] * _NOVELTY * items.is_new_I + w["group_order"] / (1.0 + items.group_I)
    by_itself_I = np.where(items.caught_I, _NEVER, by_itself_I).astype(np.float32)
    tired_BT = np.float32(w["diversity"] + w["retention"]) * view.users.recent_UT[users_B]
    score_BI = lift(relevance_BI)
    score_BI *= of_click_I
    score_BI += by_itself_I
    score_BI -= tired_BT @ items.topic_IT.T
    return score_BI


def lift(relevance_BI: FloatArray) -> FloatArray:
    """Give relevance on a scale on which the mean plus two standard deviations over a user's items is 1."""
    base_B = relevance_BI.mean(axis=1) + _DEVIATIONS * relevance_BI.std(axis=1)
    lifted: FloatArray = relevance_BI / np.maximum(base_B, _SMALLEST)[:, None]
    return np.clip(lifted, 0.0, _MOST_LIFT, out=lifted)


def _relative(brought_I: FloatArray, clicks_I: FloatArray, prior_I: FloatArray) -> FloatArray:
    """What a click on each item has brought, relative to all clicks, with `prior_I` for a few clicks more."""
    average = float(brought_I.sum()) / max(float(clicks_I.sum()), 1.0)
    if average < _SMALLEST:
        return prior_I.astype(np.float32)
    found: FloatArray = (brought_I / average + _PRIOR_CLICKS * prior_I) / (clicks_I + _PRIOR_CLICKS)
    return found.astype(np.float32)
