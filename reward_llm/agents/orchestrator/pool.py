"""Which new content may have paid exposure: the dynamic pool.

published --> waiting --> first chance --> proven good: more, until enough
                 |              '--> can't be good: out
                 '--> promises least of its day: waits until the others had theirs
"""

# I items, P contents in the pool

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reward_llm.agents.allocation import BoolArray, IntArray, MarketView
from reward_llm.agents.content.accounts import Accounts
from reward_llm.agents.content.agent import Quality
from reward_llm.agents.orchestrator.config import AllotmentConfig

CERTAIN = 2.0
"""Deviations by which a quality has to be too low, to be known as too low."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The pool of a day."""

    item_P: IntArray
    is_first_P: BoolArray
    """Whether the content is still having its first chance."""


def pooled(
    view: MarketView, accounts: Accounts, quality: Quality, caught_I: BoolArray, config: AllotmentConfig
) -> Pool:
    """The content that may ask today.

    Content that promises least by its preview waits on its first day, a share of `left_out` of the day's; all other
    new content is let in until it had its first chance. `quality` is that of all items.
    """
    items = view.items
    is_fresh_I = items.is_new_I & ~caught_I
    had_chance_I = accounts.impressions_I >= config.first_chance
    is_first_I = is_fresh_I & ~had_chance_I & ~_waits(view, is_fresh_I & ~had_chance_I, config)
    could_be_good_I = quality.mean_P + CERTAIN * quality.deviation_P > config.hopeless
    has_more_I = is_fresh_I & had_chance_I & could_be_good_I & (accounts.completions_I < config.enough)
    item_P = np.flatnonzero(is_first_I | has_more_I)
    return Pool(item_P=item_P, is_first_P=is_first_I[item_P])


def _waits(view: MarketView, is_waiting_I: BoolArray, config: AllotmentConfig) -> BoolArray:
    """The content of the youngest day that promises least, rounded down."""
    waits_I = np.zeros(len(is_waiting_I), dtype=np.bool_)
    youngest_X = np.flatnonzero(is_waiting_I & (view.items.age_days_I == 0))
    count = int(config.left_out * len(youngest_X))
    if count:
        waits_I[youngest_X[np.argsort(view.items.preview_I[youngest_X], kind="stable")[:count]]] = True
    return waits_I
