"""What agents are paid for.

A user agent and the orchestrator share one reward, by the served weights; content agents are paid for completed views
and for being passed on, never for clicks, less what their exposure cost.
"""

# B users present, N slate, T topics, I items

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reward_llm.agents.allocation import BoolArray, FloatArray, IntArray, StepOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardConfig:
    """What a page is divided by, so that every utility is worth about as much; and what else counts."""

    clicks: float = 0.5
    """Clicks of a page."""
    money: float = 1.0
    """Money of a page."""
    completions: float = 0.2
    """Completed views of a page."""
    disappointment: float = 0.3
    """What a click that isn't completed takes, relative to a completed view."""
    stay: float = 0.5
    """For a page that the user doesn't leave after."""
    back: float = 3.0
    """For a visit on the next day."""
    topics: float = 0.5
    """Topics clicked on a page."""
    new_completions: float = 0.05
    """Completed views of new content on a page."""
    boost: float = 0.02
    """What a boosted impression that everybody looks at costs its content, relative to a completed view."""


def page_reward(
    outcome: StepOutcome,
    category_I: IntArray,
    is_new_I: BoolArray,
    weights: Mapping[str, float],
    config: RewardConfig,
) -> FloatArray:
    """What a page was worth, for each user present; the order of groups isn't the agents' to decide."""
    clicked_BN, completed_BN = outcome.clicked_BN, outcome.completed_BN
    completions_B = completed_BN.sum(1)
    pleasure_B = completions_B - config.disappointment * (clicked_BN.sum(1) - completions_B)
    topics = int(category_I.max(initial=0)) + 1
    seen_BT = np.zeros((len(clicked_BN), topics), dtype=np.bool_)
    row_X, slot_X = np.nonzero(clicked_BN)
    seen_BT[row_X, category_I[outcome.item_BN[row_X, slot_X]]] = True
    parts = {
        "click": clicked_BN.sum(1) / config.clicks,
        "gmv": outcome.value_BN.sum(1) / config.money,
        "satisfaction": pleasure_B / config.completions,
        "retention": config.stay * ~outcome.left_B,
        "diversity": seen_BT.sum(1) / config.topics,
        "cold_start": (completed_BN & is_new_I[outcome.item_BN]).sum(1) / config.new_completions,
    }
    whole_B = sum(weights.get(name, 0.0) * part_B for name, part_B in parts.items())
    return np.asarray(whole_B, dtype=np.float32)


def content_reward(outcome: StepOutcome, price: float, items: int, config: RewardConfig) -> FloatArray:
    """What a page was worth to each item."""
    worth_BN = outcome.completed_BN + outcome.shared_BN - config.boost * outcome.cost_BN / price
    total_I: FloatArray = np.bincount(outcome.item_BN.ravel(), worth_BN.ravel(), items).astype(np.float32)
    return total_I
