"""How pages are put on record, for users and items."""

# B users, N slate, X clicks of all pages

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reward_llm.agents.allocation import BoolArray, FloatArray, IntArray
from reward_llm.agents.market.behaviour import topic_counts
from reward_llm.agents.market.catalogue import Catalogue
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.page import Page, Reaction
from reward_llm.agents.market.users import Records, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class Clicks:
    """The clicks of many pages, one after the other."""

    user_X: IntArray
    item_X: IntArray
    category_X: IntArray
    completed_X: BoolArray
    shared_X: BoolArray
    bought_X: BoolArray
    value_X: FloatArray
    dwell_s_X: FloatArray

    @classmethod
    def of(cls, page: Page, reaction: Reaction) -> Clicks:
        """Pick them out."""
        where = np.nonzero(reaction.clicked_BN)
        return cls(
            user_X=page.users_B[where[0]],
            item_X=page.item_BN[where],
            category_X=page.category_BN[where],
            completed_X=reaction.completed_BN[where],
            shared_X=reaction.shared_BN[where],
            bought_X=reaction.bought_BN[where],
            value_X=reaction.value_BN[where],
            dwell_s_X=reaction.dwell_s_BN[where],
        )


def count_users(records: Records, page: Page, reaction: Reaction, clicks: Clicks) -> None:
    """Add a page to the records of its users."""
    users_B, topics = page.users_B, records.shown_UT.shape[1]
    records.pages_U[users_B] += 1
    records.shown_UT[users_B] += topic_counts(page.category_BN, topics)
    records.dwell_s_U[users_B] += reaction.dwell_s_BN.sum(1)
    records.spent_U[users_B] += reaction.value_BN.sum(1)
    np.add.at(records.clicked_UT, (clicks.user_X, clicks.category_X), 1)
    np.add.at(records.completed_UT, (clicks.user_X, clicks.category_X), clicks.completed_X)
    remember(records, users_B, page.item_BN, reaction.depth())


def count_items(catalogue: Catalogue, page: Page, clicks: Clicks, *, day: int, config: MarketConfig) -> None:
    """Add a page to the counts of its items."""
    counts, item_X = catalogue.counts, clicks.item_X
    shown_I = np.bincount(page.item_BN.ravel(), minlength=len(catalogue.published_I))
    counts.impressions_I[:] += shown_I
    catalogue.shown_here_I[:] += shown_I
    np.add.at(counts.clicks_I, item_X, 1)
    np.add.at(counts.completions_I, item_X, clicks.completed_X)
    np.add.at(counts.shares_I, item_X, clicks.shared_X)
    np.add.at(counts.purchases_I, item_X, clicks.bought_X)
    np.add.at(counts.revenue_I, item_X, clicks.value_X)
    np.add.at(counts.dwell_s_I, item_X, clicks.dwell_s_X)
    in_time_X = day - catalogue.published_I[item_X] < config.exposure.success_days
    np.add.at(catalogue.completed_here_I, item_X, clicks.completed_X & in_time_X)
