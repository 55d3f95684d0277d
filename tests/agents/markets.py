"""Small markets, and recommenders that watch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reward_llm.agents.allocation import MarketView, Slates
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.market import Market
from reward_llm.agents.market.outcomes import Outcomes
from reward_llm.agents.market.play import play
from reward_llm.agents.orchestrator.marketplace import LearnedMarketplace
from reward_llm.domain.weights import Weights

USUAL = {
    "click": 0.25,
    "gmv": 0.20,
    "satisfaction": 0.15,
    "retention": 0.15,
    "diversity": 0.10,
    "cold_start": 0.10,
    "group_order": 0.05,
}


def leaning(utility: str, weight: float) -> Weights:
    """The usual weights with one of them set."""
    rest = sum(value for name, value in USUAL.items() if name != utility)
    return Weights(
        {name: weight if name == utility else value * (1 - weight) / rest for name, value in USUAL.items()}
    )


def opened(seed: int = 0, weights: Callable[[], Weights] | None = None) -> Market:
    return Market(MarketConfig.small(), seed=seed, weights=weights or (lambda: Weights(USUAL)))


def played(
    marketplace: LearnedMarketplace, market: Market, watch: Callable[[MarketView, Slates], None] | None = None
) -> Outcomes:
    """A whole run, with somebody who sees every page that the marketplace fills."""
    slates = marketplace.slates

    def watched(view, users_B):
        made = slates(view, users_B)
        if watch:
            watch(view, made)
        return made

    marketplace.slates = watched  # type: ignore[method-assign]
    return play(market, marketplace, np.random.default_rng(0))
