"""What items get elsewhere than in slates: visits from search and the creator's page, and bought clicks.

A recommender sees both only as higher counts, so that a bought click looks like any other but for what follows it.
"""

# I items published, C creators, F fresh items

from __future__ import annotations

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray
from reward_llm.agents.market.behaviour import sigmoid
from reward_llm.agents.market.catalogue import Catalogue
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.creators import Creators


def visit(
    catalogue: Catalogue, creators: Creators, *, day: int, config: MarketConfig, generator: np.random.Generator
) -> None:
    """Add a day's outside visits to the counts."""
    items = catalogue.published(day)
    age_I = day - catalogue.published_I[:items]
    creator_I = catalogue.creator_I[:items]
    content, counts = config.content, catalogue.counts
    fresh_I = np.exp(-age_I / content.new_days)
    clicks_I = generator.poisson(content.outside_visits * 2 * creators.skill_C[creator_I] * fresh_I)
    completion_I = sigmoid(
        config.responses.completion + config.responses.completion_quality * (catalogue.quality_I[:items] - 0.5)
    )
    completions_I = generator.binomial(clicks_I, completion_I)
    counts.shares_I[:items] += generator.binomial(completions_I, config.responses.share * catalogue.quality_I[:items])
    seconds_I = clicks_I * np.exp(config.responses.dwell_log_s)
    _add(catalogue, (clicks_I, completions_I, seconds_I), rate=content.outside_click_rate, generator=generator)
    bought_I = _bought(creators, creator_I, age_I <= content.new_days, generator)
    looks_real_I = generator.binomial(bought_I, creators.bought_completion_C[creator_I])
    _add(
        catalogue,
        (bought_I, looks_real_I, bought_I * config.cheats.stay_s),
        rate=content.outside_click_rate,
        generator=generator,
    )


def audit(creators: Creators, *, config: MarketConfig, generator: np.random.Generator) -> None:
    """Convict some of the cheats, who stop; nobody is convicted who doesn't cheat."""
    found_C = generator.uniform(size=len(creators.cheats_C)) < config.cheats.conviction
    creators.convicted_C[creators.cheats_C & found_C] = True


def _bought(creators: Creators, creator_I: IntArray, fresh_I: np.ndarray, generator: np.random.Generator) -> IntArray:
    mean_I = creators.bought_C[creator_I] * ~creators.convicted_C[creator_I] * fresh_I
    bought_I: IntArray = generator.poisson(mean_I)
    return bought_I


def _add(
    catalogue: Catalogue,
    visits: tuple[IntArray, IntArray, FloatArray],
    *,
    rate: float,
    generator: np.random.Generator,
) -> None:
    """Add clicks, completed views, seconds, and the impressions that such clicks come from."""
    clicks_I, completions_I, seconds_I = visits
    items, counts = len(clicks_I), catalogue.counts
    passed_over_I = generator.negative_binomial(np.maximum(clicks_I, 1), rate) * (clicks_I > 0)
    counts.impressions_I[:items] += clicks_I + passed_over_I
    counts.clicks_I[:items] += clicks_I
    counts.completions_I[:items] += completions_I
    counts.dwell_s_I[:items] += seconds_I
