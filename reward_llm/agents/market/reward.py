"""What a page is worth under the served weights: R_w = Σ w_k U_k, each utility in [0, 1]."""

# B users, N slate, K utilities

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from reward_llm.agents.allocation import UTILITIES, FloatArray, ItemFacts, StepOutcome
from reward_llm.agents.market.behaviour import topic_counts
from reward_llm.agents.market.outcomes import ordered_share

_MONEY: Final = 50.0
"""Sales of a page at which its transaction value is 1 - 1/e."""
_SECONDS: Final = 200.0
"""Time on a page at which its satisfaction is 1 - 1/e."""


def page_utilities(outcome: StepOutcome, items: ItemFacts) -> Mapping[str, FloatArray]:
    """Give each utility of each user's page, by its name in `UTILITIES`."""
    slots = outcome.item_BN.shape[1]
    category_BN = items.category_I[outcome.item_BN]
    kinds_B = (topic_counts(category_BN, items.topic_IT.shape[1]) > 0).sum(1)
    ordered_B = ordered_share(items.group_I[outcome.item_BN])
    values = (
        outcome.clicked_BN.mean(1),
        -np.expm1(-outcome.value_BN.sum(1) / _MONEY),
        -np.expm1(-(outcome.dwell_s_BN * outcome.completed_BN).sum(1) / _SECONDS),
        ~outcome.left_B,
        kinds_B / min(slots, items.topic_IT.shape[1]),
        items.is_new_I[outcome.item_BN].mean(1),
        np.where(np.isnan(ordered_B), 1.0, ordered_B),
    )
    return {name: value_B.astype(np.float32) for name, value_B in zip(UTILITIES, values, strict=True)}


def page_reward(outcome: StepOutcome, items: ItemFacts, weights: Mapping[str, float]) -> FloatArray:
    """Give R_w of each user's page, in [0, 1]; utilities that the weights don't name count nothing."""
    utilities = page_utilities(outcome, items)
    total_B = np.zeros(len(outcome.users_B), dtype=np.float32)
    for name, value_B in utilities.items():
        total_B += np.float32(weights.get(name, 0.0)) * value_B
    return total_B
