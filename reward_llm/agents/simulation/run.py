"""A plan's months, lived one after the other.

Each seed is a market of its own: its users, creators and content, and the numbers by which users decide. All arms of
a plan live through the same seeds, so that what they differ in is what they did (common random numbers).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import Final

import numpy as np

from reward_llm.agents.allocation import UTILITIES, Recommender
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.market import Market
from reward_llm.agents.market.outcomes import DayLog, Outcomes
from reward_llm.agents.market.play import play
from reward_llm.agents.simulation.months import Month, report_of
from reward_llm.agents.simulation.recommenders import recommender as made
from reward_llm.domain.simulation import Outcome, RecommenderName, SimulationPlan, SimulationReport
from reward_llm.domain.weights import Weights
from reward_llm.errors import WeightsInvalid

OnProgress = Callable[[int], None]
_FEWEST: Final = 5
"""Sellers and creators of the smallest market."""


def simulate(
    plan: SimulationPlan, on_progress: OnProgress = lambda _: None, *, processes: int = 1
) -> SimulationReport:
    """Have every arm live through every seed, and report.

    Args:
        plan: Who recommends by which weights, and on how much.
        on_progress: Told how many of `plan.steps` days are done: after each, or after each month if there are several
            processes.
        processes: How many months are simulated at once.

    Raises:
        WeightsInvalid: If the market knows none of the utilities that have a weight in some arm.
    """
    began = time.perf_counter()
    config = market_of(plan.users, plan.days)
    lives = [
        Life(arm.name, config, arm.recommender, dict(known_weights(plan.market_weights(arm))), seed)
        for seed in range(plan.first_seed, plan.first_seed + plan.seeds)
        for arm in plan.arms
    ]
    months: dict[str, list[Month]] = {arm.name: [] for arm in plan.arms}
    lived = _one_by_one(lives, on_progress) if processes == 1 else _at_once(lives, on_progress, processes)
    for life, month in zip(lives, lived, strict=True):
        months[life.arm].append(month)
    return report_of(months, time.perf_counter() - began)


@dataclass(frozen=True, slots=True)
class Life:
    """One arm in the market of one seed."""

    arm: str
    config: MarketConfig
    recommender: RecommenderName
    weights: dict[str, float]
    seed: int

    def month(self, on_day: OnProgress | None = None) -> Month:
        """Let the recommender fill the market's slates; `on_day` is told each day that ends after the warm-up."""
        return self.lived(made(self.recommender), on_day)

    def lived(self, recommender: Recommender, on_day: OnProgress | None = None) -> Month:
        """The same with a recommender that has no name."""
        served = Weights(self.weights)
        market = Market(self.config, seed=self.seed, weights=lambda: served)

        def ended(log: DayLog) -> None:
            if on_day and log.day >= 0:
                on_day(log.day)

        whole = play(market, recommender, np.random.default_rng(self.seed), on_day=ended)
        days = [Outcomes.of([log]) for log in market.days_log]
        return Month(
            whole={outcome: float(getattr(whole, outcome)) for outcome in Outcome},
            by_day={outcome: np.array([getattr(day, outcome) for day in days]) for outcome in Outcome},
        )


def _one_by_one(lives: Sequence[Life], on_progress: OnProgress) -> Iterator[Month]:
    for place, life in enumerate(lives):
        yield life.month(partial(_told, on_progress, place * life.config.scale.days))


def _told(on_progress: OnProgress, before: int, day: int) -> None:
    on_progress(before + day + 1)


def _at_once(lives: Sequence[Life], on_progress: OnProgress, processes: int) -> Iterator[Month]:
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(life.month) for life in lives]
        for done, _ in enumerate(as_completed(futures), start=1):
            on_progress(done * lives[0].config.scale.days)
        yield from (future.result() for future in futures)


def market_of(users: int, days: int) -> MarketConfig:
    """The market as it is by default, with all that goes with its size made smaller or larger alike."""
    config = MarketConfig()
    scale = config.scale
    share = users / scale.users

    def sized(count: int) -> int:
        return max(round(count * share), _FEWEST)

    resized = replace(
        scale,
        users=users,
        users_a_day=scale.users_a_day * share,
        creators=sized(scale.creators),
        sellers=sized(scale.sellers),
        items=max(sized(scale.items), scale.slate),
        items_a_day=scale.items_a_day * share,
        days=days,
    )
    return replace(config, scale=resized)


def known_weights(weights: Mapping[str, float]) -> Weights:
    """The weights of what the market knows, in the same proportions.

    Raises:
        WeightsInvalid: If it knows none of what has a weight.
    """
    known = {name: weights.get(name, 0.0) for name in UTILITIES}
    total = sum(known.values())
    if total <= 0:
        raise WeightsInvalid(
            "the market knows none of the utilities that have a weight", hint=f"It knows: {', '.join(UTILITIES)}."
        )
    return Weights({name: weight / total for name, weight in known.items()})
