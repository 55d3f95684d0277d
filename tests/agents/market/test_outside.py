from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reward_llm.agents.content.cheats import CheatConfig, CheatDetector
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.market import Market
from reward_llm.agents.market.play import play
from tests.agents.market.recommenders import WEIGHTS, Uniform


class Watching(Uniform):
    """Shows items at random, and watches for cheats."""

    def __init__(self) -> None:
        self.detector = CheatDetector()
        self.caught: list[set[int]] = []

    def begin(self, view, generator):
        super().begin(view, generator)
        self.detector.begin(view)

    def observe(self, outcome):
        super().observe(outcome)
        self.detector.observe(outcome)

    def end_day(self, view):
        self.caught.append(set(view.items.creator_I[self.detector(view)].tolist()))


@pytest.fixture(scope="module")
def watched():
    """Give a run of ten days in which a quarter of the creators cheat and no audit interferes."""
    small = MarketConfig.small()
    config = replace(
        small,
        scale=replace(small.scale, users=300, creators=40, items_a_day=20.0, days=10),
        cheats=replace(small.cheats, share=0.25, conviction=0.0),
    )
    market, recommender = Market(config, seed=0, weights=lambda: WEIGHTS), Watching()
    play(market, recommender, np.random.default_rng(0))
    return market, recommender


def rate(market, mask_C):
    """Give the share of completed views among the clicks of these creators' content."""
    counts = market.catalogue.counts
    mask_I = mask_C[market.catalogue.creator_I]
    return counts.completions_I[mask_I].sum() / counts.clicks_I[mask_I].sum()


def test_cheats_have_more_clicks_and_fewer_completed_views(watched):
    market, _ = watched
    cheats_C = market.creators.cheats_C
    clicks_C = np.bincount(market.catalogue.creator_I, market.catalogue.counts.clicks_I)
    assert cheats_C.sum() == 10
    assert np.median(clicks_C[cheats_C]) > 2 * np.median(clicks_C[~cheats_C])
    assert rate(market, cheats_C) < rate(market, ~cheats_C) / 2


def test_cheats_look_guiltier_than_others(watched):
    market, recommender = watched
    guilt_C, cheats_C = recommender.detector.probability(market.view()), market.creators.cheats_C
    guiltier = guilt_C[cheats_C][:, None] > guilt_C[~cheats_C][None, :]
    assert guiltier.mean() > 0.95


def test_some_are_caught_within_days_and_nobody_wrongly(watched):
    market, recommender = watched
    cheats = set(np.flatnonzero(market.creators.cheats_C).tolist())
    assert len(recommender.caught[-1]) >= 3
    assert recommender.caught[-1] <= cheats


def test_who_was_caught_stays_so(watched):
    _, recommender = watched
    for before, after in zip(recommender.caught, recommender.caught[1:], strict=False):
        assert before <= after


def test_a_new_market_starts_with_nobody_caught(watched):
    market, recommender = watched
    fresh = CheatDetector()
    fresh.begin(market.view())
    fresh._caught = frozenset(recommender.caught[-1])
    fresh.begin(market.view())
    assert not fresh._caught


def test_a_creator_with_few_clicks_is_not_judged(watched):
    market, _ = watched
    lenient = CheatDetector(CheatConfig(fewest_clicks=10**6))
    lenient.begin(market.view())
    assert not lenient.probability(market.view()).any()


def test_the_probability_is_that_of_bayes_rule(watched):
    market, _ = watched
    detector = CheatDetector()
    view = market.view()
    detector.begin(view)
    probability_C = detector.probability(view)
    config, items = detector.config, view.items
    rng = np.random.default_rng(0)
    creator = int(np.argmin(np.abs(probability_C - 0.5)))
    clicks = items.clicks_I[items.creator_I == creator].sum()
    done = items.completions_I[items.creator_I == creator].sum()
    bought = rng.beta(*config.bought, 400_000)
    honest = rng.beta(0.5 * config.strength, 0.5 * config.strength, 400_000)

    def likelihood(share):
        return np.exp(done * np.log(share) + (clicks - done) * np.log1p(-share)).mean()

    odds = config.prior / (1 - config.prior) * likelihood(bought) / likelihood(honest)
    assert probability_C[creator] == pytest.approx(odds / (1 + odds), abs=0.05)


@pytest.mark.parametrize("bad", [{"prior": 0.0}, {"certainty": 1.0}, {"strength": 0.0}, {"fewest_clicks": 0}])
def test_beliefs_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match=r"lie in|above 0"):
        CheatConfig(**bad)


def test_audits_convict_only_cheats_who_then_stop():
    small = MarketConfig.small()
    config = replace(
        small, scale=replace(small.scale, users=30), cheats=replace(small.cheats, share=0.3, conviction=1.0)
    )
    market = Market(config, seed=0, weights=lambda: WEIGHTS)
    play(market, Uniform(), np.random.default_rng(0))
    assert np.array_equal(market.creators.convicted_C, market.creators.cheats_C)
    assert np.array_equal(market.view().items.caught_I, market.creators.cheats_C[market.view().items.creator_I])
    honest = replace(config, cheats=replace(config.cheats, conviction=0.0))
    going_on = Market(honest, seed=0, weights=lambda: WEIGHTS)
    play(going_on, Uniform(), np.random.default_rng(0))
    cheats_C = market.creators.cheats_C
    assert rate(market, cheats_C) > rate(going_on, cheats_C)


def test_outside_visits_are_seen_before_they_are_clicks(watched):
    market, _ = watched
    counts = market.catalogue.counts
    assert (counts.impressions_I >= counts.clicks_I).all()
    assert (counts.clicks_I >= counts.completions_I).all()
    assert (counts.completions_I >= counts.shares_I).all()
