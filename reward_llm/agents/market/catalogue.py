"""What is published: the hidden and the visible side of every item, drawn for the whole run.

Items are numbered by their day, so that what is published by a day is a prefix of every array.
"""

# I items of the whole run, T topics

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray
from reward_llm.agents.market.config import ContentConfig, MarketConfig
from reward_llm.agents.market.creators import Creators
from reward_llm.agents.market.draws import poisson_by_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What has happened to every item, in slates and elsewhere."""

    impressions_I: FloatArray
    clicks_I: FloatArray
    completions_I: FloatArray
    shares_I: FloatArray
    purchases_I: FloatArray
    revenue_I: FloatArray
    dwell_s_I: FloatArray

    @classmethod
    def zero(cls, items: int) -> Counts:
        """Give counts of nothing."""
        arrays = np.zeros((7, items), dtype=np.float32)
        names = ("impressions", "clicks", "completions", "shares", "purchases", "revenue", "dwell_s")
        return cls(**{f"{name}_I": array for name, array in zip(names, arrays, strict=True)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Items by number."""

    published_I: IntArray
    """Day, below 0 before the market opens."""
    creator_I: IntArray
    seller_I: IntArray
    group_I: IntArray
    topic_IT: FloatArray
    category_I: IntArray
    price_I: FloatArray
    preview_I: FloatArray
    quality_I: FloatArray
    """In [0, 1], hidden: what completion, sharing and satisfaction follow."""
    appeal_I: FloatArray
    """In [0, 1], hidden: what clicks follow."""
    counts: Counts
    shown_here_I: FloatArray
    """Impressions in slates alone."""
    completed_here_I: FloatArray
    """Completed views from slates while the item had time to succeed."""

    @classmethod
    def drawn(cls, config: MarketConfig, creators: Creators, generator: np.random.Generator) -> Catalogue:
        """Draw the items of a market's whole run."""
        scale, content = config.scale, config.content
        opening = -scale.warm_up_days
        old = np.sort(generator.integers(opening - content.oldest_days, opening, scale.items))
        days = range(opening, scale.days)
        published_I = np.concatenate([old, poisson_by_day(generator, scale.items_a_day, days)])
        items = len(published_I)
        creator_I = generator.integers(scale.creators, size=items)
        quality_I = _noisy(creators.skill_C[creator_I], content.quality_noise, generator)
        appeal_I = _noisy(0.5 + content.appeal_quality * (quality_I - 0.5), content.appeal_noise, generator)
        topic_IT = _topics(creators.topic_C[creator_I], scale.topics, content.topics, generator)
        seller_I = creators.seller_C[creator_I]
        return cls(
            published_I=published_I,
            creator_I=creator_I,
            seller_I=seller_I,
            group_I=creators.group_S[seller_I],
            topic_IT=topic_IT,
            category_I=topic_IT.argmax(1).astype(np.int64),
            price_I=_prices(content, quality_I, generator),
            preview_I=_noisy(quality_I, content.preview_noise, generator),
            quality_I=quality_I,
            appeal_I=appeal_I,
            counts=Counts.zero(items),
            shown_here_I=np.zeros(items, dtype=np.float32),
            completed_here_I=np.zeros(items, dtype=np.float32),
        )

    def published(self, day: int) -> int:
        """Count the items that are published by the end of a day."""
        return int(np.searchsorted(self.published_I, day, side="right"))


def _noisy(mean_I: FloatArray, noise: float, generator: np.random.Generator) -> FloatArray:
    clipped: FloatArray = np.clip(mean_I + generator.normal(0, noise, len(mean_I)), 0, 1).astype(np.float32)
    return clipped


def _topics(main_I: IntArray, topics: int, about: tuple[int, int], generator: np.random.Generator) -> FloatArray:
    """Draw items on a few topics each, of length 1 (SARDINE's law), one of them the creator's."""
    items = len(main_I)
    key_IT = generator.uniform(size=(items, topics))
    key_IT[np.arange(items), main_I] += 1.0
    order_IT = np.argsort(-key_IT, axis=1)
    kept = generator.integers(about[0], about[1] + 1, items)
    value_IT = generator.uniform(size=(items, topics))
    topic_IT = np.zeros((items, topics))
    rank_IT = np.arange(topics)[None, :] < kept[:, None]
    np.put_along_axis(topic_IT, order_IT, np.where(rank_IT, value_IT, 0.0), axis=1)
    length_I = np.linalg.norm(topic_IT, axis=1, keepdims=True)
    unit_IT: FloatArray = (topic_IT / length_I).astype(np.float32)
    return unit_IT


def _prices(content: ContentConfig, quality_I: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Draw prices, higher for quality, 0 for what only is to be watched or read."""
    items = len(quality_I)
    log_price_I = generator.normal(content.price_log_mean, content.price_log_std, items)
    price_I = np.exp(log_price_I) * (1 + content.price_quality * (quality_I - 0.5))
    sold_I = generator.uniform(size=items) < content.sold_share
    priced: FloatArray = np.where(sold_I, price_I.round(2), 0.0).astype(np.float32)
    return priced
