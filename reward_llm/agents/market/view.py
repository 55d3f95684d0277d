"""What a recommender may see of a market: records and counts, never tastes, moods, quality or who cheats."""

from __future__ import annotations

from reward_llm.agents.allocation import ItemFacts, UserFacts, locked
from reward_llm.agents.market.catalogue import Catalogue
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.creators import Creators
from reward_llm.agents.market.users import Users


def user_facts(users: Users, day: int) -> UserFacts:
    """Give what is on record of the users who are registered by a day."""
    count, records = users.registered(day), users.records
    facts = UserFacts(
        tenure_days_U=day - records.first_day_U[:count],
        active_days_U=records.active_days_U[:count],
        pages_U=records.pages_U[:count],
        recent_UT=records.recent_UT[:count],
        shown_UT=records.shown_UT[:count],
        clicked_UT=records.clicked_UT[:count],
        completed_UT=records.completed_UT[:count],
        dwell_s_U=records.dwell_s_U[:count],
        spent_U=records.spent_U[:count],
        history_UH=records.history_UH[:count],
        depth_UH=records.depth_UH[:count],
    )
    locked(facts)
    return facts


def item_facts(catalogue: Catalogue, creators: Creators, day: int, config: MarketConfig) -> ItemFacts:
    """Give what is on record of the items that are published by a day."""
    count, counts = catalogue.published(day), catalogue.counts
    age_days_I = day - catalogue.published_I[:count]
    creator_I = catalogue.creator_I[:count]
    facts = ItemFacts(
        age_days_I=age_days_I,
        is_new_I=age_days_I <= config.content.new_days,
        creator_I=creator_I,
        seller_I=catalogue.seller_I[:count],
        group_I=catalogue.group_I[:count],
        category_I=catalogue.category_I[:count],
        topic_IT=catalogue.topic_IT[:count],
        price_I=catalogue.price_I[:count],
        preview_I=catalogue.preview_I[:count],
        impressions_I=counts.impressions_I[:count],
        clicks_I=counts.clicks_I[:count],
        completions_I=counts.completions_I[:count],
        shares_I=counts.shares_I[:count],
        purchases_I=counts.purchases_I[:count],
        revenue_I=counts.revenue_I[:count],
        dwell_s_I=counts.dwell_s_I[:count],
        caught_I=creators.convicted_C[creator_I],
    )
    locked(facts)
    return facts
