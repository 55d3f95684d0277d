"""What models are told of users and items, as numbers of about the size of 1."""

# B users present, U users, I items, T topics, C columns

from __future__ import annotations

from typing import Final

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray, MarketView
from reward_llm.agents.baselines.plain import click_rate

_PRIOR_CLICKS: Final = 5.0
_PRIOR_IMPRESSIONS: Final = 20.0
_SMALLEST: Final = 1e-9
_AGE_DAYS: Final = 10.0


def affinity(view: MarketView, users_U: IntArray) -> FloatArray:
    """Give each user's click rate by main topic, relative to their own over all, drawn to 1; shape U, T."""
    clicked_UT, shown_UT = view.users.clicked_UT[users_U], view.users.shown_UT[users_U]
    overall = max(float(view.users.clicked_UT.sum()) / max(float(view.users.shown_UT.sum()), 1.0), _SMALLEST)
    clicks_U = clicked_UT.sum(axis=1) + _PRIOR_CLICKS
    own_U = clicks_U / (shown_UT.sum(axis=1) + _PRIOR_CLICKS / overall)
    rate_UT = (clicked_UT + _PRIOR_IMPRESSIONS * own_U[:, None]) / (shown_UT + _PRIOR_IMPRESSIONS)
    found: FloatArray = (rate_UT / own_U[:, None]).astype(np.float32)
    return found


def content_columns(view: MarketView) -> FloatArray:
    """Give what is known of an item before anybody has seen it: topics, a first look, price, creator; shape I, C."""
    items = view.items
    priced_I = np.log1p(items.price_I) / 4
    columns = (
        np.ones(len(items.price_I)),
        items.preview_I,
        priced_I,
        creator_rate(view),
        np.exp(-items.age_days_I / _AGE_DAYS),
    )
    return np.concatenate([items.topic_IT, np.stack(columns, axis=1)], axis=1).astype(np.float32)


def evidence_columns(view: MarketView) -> FloatArray:
    """Give how much is known of an item by now; shape I, C."""
    items = view.items
    columns = (
        np.ones(len(items.price_I)),
        np.log1p(items.impressions_I) / 5,
        np.log1p(items.clicks_I) / 5,
        items.is_new_I,
        np.exp(-items.age_days_I / _AGE_DAYS),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def creator_rate(view: MarketView) -> FloatArray:
    """Give the click rate of all that an item's creator has published, relative to everybody's; shape I."""
    items = view.items
    creators = int(items.creator_I.max()) + 1
    overall = max(float(items.clicks_I.sum()) / max(float(items.impressions_I.sum()), 1.0), _SMALLEST)
    clicks_I = np.bincount(items.creator_I, items.clicks_I, creators)[items.creator_I]
    shown_I = np.bincount(items.creator_I, items.impressions_I, creators)[items.creator_I]
    found: FloatArray = (clicks_I / overall + _PRIOR_IMPRESSIONS) / (shown_I + _PRIOR_IMPRESSIONS)
    return found.astype(np.float32)


def relative_rate(view: MarketView) -> FloatArray:
    """Give the click rate of each item, relative to the mean, drawn to 1; shape I."""
    rate_I = click_rate(view)
    return (rate_I / max(float(rate_I.mean()), _SMALLEST)).astype(np.float32)
