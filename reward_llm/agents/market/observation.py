"""A view as numbers near one, for agents that learn in the environments."""

# B users, M items, T topics, F features

from __future__ import annotations

from typing import Final

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray, MarketView

_OTHER_USER_FEATURES: Final = 4
_OTHER_ITEM_FEATURES: Final = 8
_TENURE_DAYS: Final = 30.0
_PAGES: Final = 100.0
_AGE_DAYS: Final = 30.0
_LOG_SCALE: Final = 8.0
"""Logs of counts and prices are divided by it."""
_BETA: Final = (1.0, 20.0)
"""Clicks and impressions that every item starts with, so that rates of few impressions are no extremes."""


def user_width(topics: int) -> int:
    """Give the number of a user's features."""
    return 2 * topics + _OTHER_USER_FEATURES


def item_width(topics: int) -> int:
    """Give the number of an item's features."""
    return topics + _OTHER_ITEM_FEATURES


def affinity(view: MarketView, users_B: IntArray) -> FloatArray:
    """Give the topics of each user's clicks as a vector of length 1, or 0 without clicks."""
    clicked_BT = view.users.clicked_UT[users_B]
    length_B = np.linalg.norm(clicked_BT, axis=1, keepdims=True)
    unit_BT: FloatArray = clicked_BT / np.maximum(length_B, 1)
    return unit_BT


def user_features(view: MarketView, users_B: IntArray) -> FloatArray:
    """Give features of users in [0, 1], of shape B, F."""
    users = view.users
    other_B4 = np.stack(
        [
            np.minimum(users.tenure_days_U[users_B] / _TENURE_DAYS, 1),
            np.minimum(users.pages_U[users_B] / _PAGES, 1),
            _rate(users.completed_UT[users_B].sum(1), users.clicked_UT[users_B].sum(1)),
            np.full(len(users_B), min(view.step / _PAGES, 1)),
        ],
        axis=1,
    )
    return _clean(np.concatenate([users.recent_UT[users_B], affinity(view, users_B), other_B4], axis=1))


def item_features(view: MarketView, item_M: IntArray) -> FloatArray:
    """Give features of items in [0, 1], of shape M, F."""
    items = view.items
    clicks_M, completions_M = items.clicks_I[item_M], items.completions_I[item_M]
    other_M8 = np.stack(
        [
            np.minimum(items.age_days_I[item_M] / _AGE_DAYS, 1),
            items.is_new_I[item_M],
            np.log1p(items.price_I[item_M]) / _LOG_SCALE,
            items.preview_I[item_M],
            np.log1p(items.impressions_I[item_M]) / _LOG_SCALE,
            (clicks_M + _BETA[0]) / (items.impressions_I[item_M] + _BETA[1]),
            _rate(completions_M, clicks_M),
            items.caught_I[item_M],
        ],
        axis=1,
    )
    return _clean(np.concatenate([items.topic_IT[item_M], other_M8], axis=1))


def _rate(part: FloatArray, whole: FloatArray) -> FloatArray:
    return (part / np.maximum(whole, 1)).astype(np.float32)


def _clean(feature: FloatArray) -> FloatArray:
    clipped: FloatArray = np.clip(feature, 0, 1).astype(np.float32)
    return clipped
