"""A recommender's run through a market, from the warm-up to the last day."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reward_llm.agents.allocation import Recommender
from reward_llm.agents.market.market import Market
from reward_llm.agents.market.outcomes import DayLog, Outcomes


def play(
    market: Market,
    recommender: Recommender,
    generator: np.random.Generator,
    *,
    on_day: Callable[[DayLog], None] | None = None,
) -> Outcomes:
    """Let a recommender fill the slates of a whole run.

    `generator` is the recommender's own randomness; `on_day` is told each day that ends, those of the warm-up too.

    Raises:
        AllocationInvalid: If its slates can't be shown.
    """
    recommender.begin(market.view(), generator)
    while not market.over:
        market.begin_day()
        recommender.begin_day(market.view())
        while len(users_B := market.present()):
            slates = (
                market.logging_slates(users_B) if market.warming_up else recommender.slates(market.view(), users_B)
            )
            recommender.observe(market.step(slates))
        recommender.end_day(market.view())
        log = market.end_day()
        if on_day:
            on_day(log)
    return market.outcomes()


def warm_up(market: Market) -> None:
    """Run a market's warm-up without a recommender, up to the first page of its first day."""
    while market.day < 0:
        if market.day >= -market.config.scale.warm_up_days:
            while len(users_B := market.present()):
                market.step(market.logging_slates(users_B))
            market.end_day()
        market.begin_day()


def turned(market: Market) -> bool:
    """Go on to the next page that somebody waits for; false when the last day has ended."""
    while not len(market.present()):
        market.end_day()
        if market.over:
            return False
        market.begin_day()
    return True
