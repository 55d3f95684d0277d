"""A market whose share of new content follows the weight of cold start, minute by minute; for `controller.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from reward_llm.agents.allocation import IntArray, MarketView, Slates
from reward_llm.agents.baselines.filling import fill
from reward_llm.agents.baselines.plain import Popular
from reward_llm.agents.baselines.worth import score
from reward_llm.agents.market.catalogue import Catalogue, Counts
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.market import Market
from reward_llm.agents.simulation.run import market_of
from reward_llm.domain.weights import Weights

TEMPERATURE: Final = 0.25
WARM_UP: Final = 4
ARRIVALS: Final = 31.0
"""Items a day after the doubling."""
DAY: Final = 30
"""Minutes, which are rounds of pages."""


class DrawnPopular(Popular):
    """What is clicked most, drawn with chance in place of the best first."""

    def slates(self, view: MarketView, users_B: IntArray) -> Slates:
        """Slates by the scores, each with a draw of its own (Gumbel's)."""
        score_BI = score(view, users_B, self.relevance(view, users_B), self._worth)
        score_BI += TEMPERATURE * self._generator.gumbel(size=score_BI.shape).astype(np.float32)
        return Slates.plain(fill(score_BI, view.items.category_I, view.slate, view.weights["diversity"]))

    def end_day(self, view: MarketView) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """A round of pages: impressions, and those of new content."""

    impressions: int
    new: int


NOBODY: Final = Minute(impressions=0, new=0)
"""A minute in which nobody is there any more."""


class Plant:
    """A market in which weights are in force; `weights` may be changed between minutes."""

    def __init__(self, seed: int, weights: Weights, *, users: int, days: int, doubled_on: int) -> None:
        self.weights = weights
        self._market = Market(_config(users, days), seed=seed, weights=lambda: self.weights)
        self._market.catalogue = thinned(self._market.catalogue, doubled_on, np.random.default_rng(seed))
        self._seed = seed

    def minutes(self) -> Iterator[Minute]:
        """Play on, from the day after the warm-up."""
        market, recommender = self._market, DrawnPopular()
        market._open_facts()
        recommender.begin(market.view(), np.random.default_rng(self._seed))
        while not market.over:
            market.begin_day()
            recommender.begin_day(market.view())
            pages = 0
            while len(users_B := market.present()):
                view = market.view()
                slates = market.logging_slates(users_B) if market.warming_up else recommender.slates(view, users_B)
                recommender.observe(market.step(slates))
                if not market.warming_up:
                    new = int(view.items.is_new_I[slates.item_BN].sum())
                    pages += 1
                    yield Minute(impressions=slates.item_BN.size, new=new)
            if not market.warming_up:
                yield from [NOBODY] * (DAY - pages)
            market.end_day()


def thinned(catalogue: Catalogue, doubled_on: int, generator: np.random.Generator) -> Catalogue:
    """Half of what is published until a day, and all of what comes from then on; the stock stays."""
    published_I = catalogue.published_I
    is_kept_I = (published_I < -WARM_UP) | (published_I >= doubled_on) | (generator.random(len(published_I)) < 0.5)
    arrays = {f.name: getattr(catalogue, f.name)[is_kept_I] for f in fields(catalogue) if f.name != "counts"}
    return Catalogue(**arrays, counts=Counts.zero(int(is_kept_I.sum())))


def _config(users: int, days: int) -> MarketConfig:
    config = market_of(users, days)
    scale = replace(config.scale, items=1_500, items_a_day=ARRIVALS, warm_up_days=WARM_UP)
    return replace(config, scale=scale, content=replace(config.content, new_days=2))
