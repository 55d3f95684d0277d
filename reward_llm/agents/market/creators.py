"""Who publishes, for whom, and who of them cheats."""

# C creators, S sellers

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reward_llm.agents.allocation import BoolArray, FloatArray, IntArray
from reward_llm.agents.market.config import MarketConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Creators:
    """Creators and their sellers, by number; only seller and group are public."""

    seller_C: IntArray
    group_S: IntArray
    skill_C: FloatArray
    """Mean quality of what each publishes."""
    topic_C: IntArray
    """What each publishes about most."""
    cheats_C: BoolArray
    """Who buys clicks."""
    bought_C: FloatArray
    """Clicks that a cheat buys for each new item a day."""
    bought_completion_C: FloatArray
    """Share of them that look like completed views."""
    convicted_C: BoolArray
    """Whom the platform's own audit has convicted; the market fills it."""

    @classmethod
    def drawn(cls, config: MarketConfig, generator: np.random.Generator) -> Creators:
        """Draw the creators of a market."""
        scale, cheats = config.scale, config.cheats
        count = scale.creators
        cheats_C = np.zeros(count, dtype=np.bool_)
        cheats_C[generator.permutation(count)[: round(cheats.share * count)]] = True
        bought_C = cheats.clicks * np.exp(generator.normal(0, cheats.clicks_log_std, count))
        return cls(
            seller_C=generator.integers(scale.sellers, size=count),
            group_S=generator.integers(scale.groups, size=scale.sellers),
            skill_C=generator.beta(*config.content.skill, count).astype(np.float32),
            topic_C=generator.integers(scale.topics, size=count),
            cheats_C=cheats_C,
            bought_C=np.where(cheats_C, bought_C, 0.0).astype(np.float32),
            bought_completion_C=generator.beta(*cheats.completion, count).astype(np.float32),
            convicted_C=np.zeros(count, dtype=np.bool_),
        )
