"""Every recommender on the same small worlds: what it must hold to, and that it learns what can be learned."""

from __future__ import annotations

import numpy as np
import pytest

from reward_llm.agents.baselines.item_cf import BOOSTED_SLOTS, ItemCF
from reward_llm.agents.baselines.meta import MetaStart
from reward_llm.agents.baselines.scored import ScoredRecommender
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.market import Market
from reward_llm.agents.market.play import play
from reward_llm.agents.simulation.recommenders import HOMES, recommender
from reward_llm.domain.simulation import RecommenderName
from tests.agents.baselines.views import SLATE, TOPICS, World, weights_of

BASELINES = tuple(name for name in RecommenderName if name is not RecommenderName.MARKETPLACE)
LEARN = (RecommenderName.ITEM_CF, RecommenderName.FACTORISATION, RecommenderName.BANDIT, RecommenderName.META)
WEIGHED = tuple(name for name in BASELINES if name is not RecommenderName.RANDOM)


def slates(world: World, name: RecommenderName) -> np.ndarray:
    """What a taught recommender shows everybody, without boosted impressions, which are -1."""
    made = recommender(name)
    world.teach(made)
    shown = made.slates(world.view(), np.arange(world.users))
    shown.check(world.view(), np.arange(world.users))
    return np.where(shown.boosted_BN, -1, shown.item_BN)


@pytest.mark.parametrize("name", RecommenderName)
def test_every_recommender_lives_through_a_market(name: RecommenderName) -> None:
    """The market checks every slate that it is given."""
    market = Market(MarketConfig.small(), seed=3, weights=lambda: weights_of(click=0.8, cold_start=0.2))
    outcomes = play(market, recommender(name), np.random.default_rng(0))
    assert market.over
    assert 0 < outcomes.ctr < 1


def test_every_name_has_its_recommender() -> None:
    assert set(HOMES) == set(RecommenderName)


@pytest.mark.parametrize("name", LEARN)
def test_those_that_learn_show_users_what_they_like(name: RecommenderName) -> None:
    world = World()
    item_BN = slates(world, name)
    liked = world.category_I[item_BN] == world.liked_U[:, None]
    assert liked[item_BN >= 0].mean() > 0.8, "a quarter is chance"


@pytest.mark.parametrize("name", LEARN)
def test_the_same_randomness_gives_the_same_slates(name: RecommenderName) -> None:
    assert (slates(World(), name) == slates(World(), name)).all()


@pytest.mark.parametrize("name", WEIGHED)
def test_nothing_of_convicted_creators_is_shown(name: RecommenderName) -> None:
    world = World()
    caught_I = np.arange(world.items) % 3 == 0
    world.facts = {"caught_I": caught_I}
    assert not caught_I[slates(world, name)].any()


@pytest.mark.parametrize("name", WEIGHED)
def test_more_weight_on_new_content_shows_more_of_it(name: RecommenderName) -> None:
    is_new_I = np.arange(80) % 5 == 0
    shares = []
    for weights in (weights_of(click=1.0), weights_of(click=0.3, cold_start=0.7)):
        item_BN = slates(World(weights=weights, facts={"is_new_I": is_new_I}), name)
        shares.append(is_new_I[item_BN[item_BN >= 0]].mean())
    assert shares[1] > shares[0] + 0.2


@pytest.mark.parametrize("name", WEIGHED)
def test_more_weight_on_money_shows_more_of_what_brings_it(name: RecommenderName) -> None:
    sells_I = np.arange(80) // TOPICS % 2 == 0
    revenue_I = (10.0 * sells_I).astype(np.float32)
    shares = []
    for weights in (weights_of(click=1.0), weights_of(gmv=1.0)):
        facts = {"revenue_I": revenue_I, "price_I": revenue_I}
        item_BN = slates(World(weights=weights, facts=facts), name)
        shares.append(sells_I[item_BN[item_BN >= 0]].mean())
    assert shares[1] > max(shares[0] + 0.2, 0.8)


@pytest.mark.parametrize("name", WEIGHED)
def test_more_weight_on_diversity_mixes_the_categories(name: RecommenderName) -> None:
    kinds = []
    for weights in (weights_of(click=1.0), weights_of(click=0.1, diversity=0.9)):
        world = World(weights=weights)
        kinds.append(np.mean([len(set(world.category_I[row[row >= 0]])) for row in slates(world, name)]))
    assert kinds[1] > kinds[0]


def test_what_a_user_has_clicked_isnt_shown_again() -> None:
    world, made = World(), recommender(RecommenderName.BANDIT)
    world.teach(made)
    assert isinstance(made, ScoredRecommender)
    shown = made.slates(world.view(), np.arange(world.users)).item_BN
    assert not made._clicked.clicked_UI[np.arange(world.users)[:, None], shown].any()


def test_the_editor_pushes_the_best_looking_of_what_is_new_to_everybody() -> None:
    is_new_I = np.arange(80) < 20
    preview_I = np.linspace(1, 0, 80).astype(np.float32)
    world, made = World(facts={"is_new_I": is_new_I, "preview_I": preview_I}), ItemCF()
    world.teach(made)
    shown = made.slates(world.view(), np.arange(world.users))
    slots = [slot for slot in BOOSTED_SLOTS if slot < SLATE]
    assert shown.boosted_BN.any(axis=0).nonzero()[0].tolist() == slots
    assert set(shown.item_BN[:, slots].ravel()) == set(range(5)), "a quarter of twenty, in turn"
    assert (shown.cost_BN[shown.boosted_BN] > 0).all()


def test_new_content_begins_where_its_like_has_ended() -> None:
    """Items of an odd number look better and are clicked more; so is a new one of them from the start."""
    world, made = World(), MetaStart()
    world.facts = {"preview_I": (np.arange(80) % 2).astype(np.float32)}
    world.liked_U = 2 * (np.arange(world.users) % 2) + 1
    world.teach(made, days=6)
    start_IF = made._head_IF.copy()
    world.category_I = np.append(world.category_I, [1, 2])
    world.items = 82
    world.facts = {"preview_I": np.append(np.arange(80) % 2, [1, 0]).astype(np.float32)}
    world.impressions_I, world.clicks_I = (np.append(a, [0, 0]) for a in (world.impressions_I, world.clicks_I))
    made.begin_day(world.view())
    assert made._head_IF.shape == (82, start_IF.shape[1])
    fans_B = np.flatnonzero(world.liked_U == 1)
    relevance_BI = made.relevance(world.view(), fans_B)
    assert (relevance_BI[:, 80] > 2 * relevance_BI[:, 81]).all()
