"""The items of a generated log: what SARDINE doesn't know of them."""

# I items, T topics

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ranker.requests import SUPPLY_TYPES

DAY_S: Final = 86_400
GROUPS: Final = 4
"""Priorities of supply groups; a seller belongs to one."""

_TYPE_SHARES: Final = (0.55, 0.15, 0.2, 0.1)
_LATE_SHARE: Final = 0.6
"""Share of the items that are published while the log runs; the rest is older."""
_OLDEST_DAYS: Final = 120
_SELLER_SKEW: Final = 0.7
"""Exponent of the sellers' sizes by rank: few sellers have many items."""
_PRICE_LOG_MEAN: Final = 3.5
_PRICE_LOG_STD: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Items by number; the numbers are SARDINE's."""

    topic_IT: np.ndarray
    """float, SARDINE's embeddings, of length 1."""
    category_I: np.ndarray
    """int, the main topic."""
    supply_type_I: np.ndarray
    """int, index into `SUPPLY_TYPES`."""
    seller_I: np.ndarray
    """int."""
    group_I: np.ndarray
    """int, the seller's priority."""
    price_I: np.ndarray
    """float; 0 for videos and articles."""
    published_I: np.ndarray
    """int, seconds since 1970."""
    quality_I: np.ndarray
    """float in (0, 1); nobody sees it, the features below hint at it."""
    features: dict[str, np.ndarray]
    """float; NaN for items of another supply type."""

    @classmethod
    def drawn(
        cls, topic_IT: np.ndarray, *, sellers: int, start: int, days: int, generator: np.random.Generator
    ) -> Catalogue:
        """Draw the rest for items of these topics, in a log of `days` from `start` on."""
        items = len(topic_IT)
        supply_type_I = generator.choice(len(SUPPLY_TYPES), items, p=_TYPE_SHARES)
        size_rank = np.arange(1, sellers + 1) ** -_SELLER_SKEW
        seller_I = generator.choice(sellers, items, p=size_rank / size_rank.sum())
        quality_I = generator.beta(3, 3, items)
        price_I = np.exp(generator.normal(_PRICE_LOG_MEAN, _PRICE_LOG_STD, items)) * (0.6 + 0.8 * quality_I)
        return cls(
            topic_IT=topic_IT,
            category_I=topic_IT.argmax(1),
            supply_type_I=supply_type_I,
            seller_I=seller_I,
            group_I=generator.integers(GROUPS, size=sellers)[seller_I],
            price_I=np.where(supply_type_I <= 1, price_I.round(2), 0.0),
            published_I=start + _published(items, days, generator),
            quality_I=quality_I,
            features=_features(supply_type_I, quality_I, generator),
        )


def _published(items: int, days: int, generator: np.random.Generator) -> np.ndarray:
    late_I = generator.uniform(size=items) < _LATE_SHARE
    day_I = np.where(late_I, generator.uniform(0, days, items), generator.uniform(-_OLDEST_DAYS, 0, items))
    seconds: np.ndarray = (day_I * DAY_S).astype(np.int64)
    return seconds


def _features(
    supply_type_I: np.ndarray, quality_I: np.ndarray, generator: np.random.Generator
) -> dict[str, np.ndarray]:
    """Give what each supply type shows of its quality: other things, on other scales, each with noise."""
    seen_I = quality_I + generator.normal(0, 0.1, len(quality_I))
    everywhere = {
        "rating": (0, np.clip(1 + 4 * seen_I, 1, 5)),
        "discount": (0, generator.beta(1, 6, len(quality_I))),
        "viewers": (1, np.exp(3 + 5 * seen_I).round()),
        "duration_s": (2, np.exp(generator.normal(4, 0.7, len(quality_I))).round()),
        "completion": (2, np.clip(seen_I, 0, 1)),
        "words": (3, np.exp(5 + 2 * seen_I).round()),
    }
    return {name: np.where(supply_type_I == kind, value_I, np.nan) for name, (kind, value_I) in everywhere.items()}
