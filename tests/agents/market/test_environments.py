from __future__ import annotations

import warnings
from dataclasses import replace

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test, parallel_seed_test

from reward_llm.agents.allocation import UTILITIES
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.gym import MarketEnv
from reward_llm.agents.market.reward import page_reward, page_utilities
from reward_llm.agents.market.zoo import BOOST_CAP, ORCHESTRATOR, MarketParallelEnv, kind
from tests.agents.market.recommenders import WEIGHTS


@pytest.fixture
def config():
    """Give a market of a handful of users for two days."""
    small = MarketConfig.small()
    scale = replace(
        small.scale, users=20, users_a_day=2.0, creators=8, items=60, items_a_day=4.0, pages=4, days=2, warm_up_days=1
    )
    return replace(small, scale=scale)


@pytest.fixture
def env(config):
    return MarketEnv(config, weights=lambda: WEIGHTS)


@pytest.fixture
def zoo(config):
    return MarketParallelEnv(config, weights=lambda: WEIGHTS)


def test_gymnasium_finds_nothing_wrong(env):
    check_env(env, skip_render_check=True)


def test_pettingzoo_finds_nothing_wrong(zoo, config):
    parallel_api_test(zoo, num_cycles=200)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel_seed_test(lambda: MarketParallelEnv(config, weights=lambda: WEIGHTS), num_cycles=5)


def test_an_episode_ends_with_the_run_and_is_truncated(env):
    env.reset(seed=4)
    env.action_space.seed(4)
    steps, truncated = 0, False
    while not truncated:
        observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert env.observation_space.contains(observation)
        assert 0 <= reward <= 1
        assert not terminated
        steps += 1
    assert env.market.over
    assert info["day"] == env.config.scale.days - 1
    assert steps == sum(log.pages for log in env.market.days_log)


def test_the_page_holds_the_best_scored_candidates_in_their_order(env):
    _, info = env.reset(seed=0)
    before = env.market.view().items.impressions_I.copy()
    score_M = np.linspace(-1, 1, env.action_space.shape[0]).astype(np.float32)
    env.step(score_M)
    gained = np.flatnonzero(env.market.catalogue.counts.impressions_I[: len(before)] - before)
    assert set(gained) == set(info["items"][-env.config.scale.slate :])


def test_candidates_are_published_items_without_repetition(env):
    _, info = env.reset(seed=0)
    for _ in range(20):
        items = info["items"]
        assert len(set(items.tolist())) == len(items) == env.action_space.shape[0]
        *_, info = env.step(env.action_space.sample())


def test_environments_must_be_reset_first(env, zoo):
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(env.action_space.sample())
    with pytest.raises(gymnasium.error.ResetNeeded):
        zoo.step({})


def test_fewer_candidates_than_slots_are_refused(config):
    with pytest.raises(ValueError, match="candidates"):
        MarketEnv(config, weights=lambda: WEIGHTS, candidates=3)


def test_the_reward_is_the_weighted_sum_of_the_utilities(config, env):
    env.reset(seed=0)
    market = env.market
    view = market.view()
    outcome = market.step(market.logging_slates(market.present()))
    utilities = page_utilities(outcome, view.items)
    assert tuple(utilities) == UTILITIES
    for value_B in utilities.values():
        assert ((value_B >= 0) & (value_B <= 1)).all()
    expected_B = sum(WEIGHTS[name] * utilities[name] for name in UTILITIES)
    assert page_reward(outcome, view.items, WEIGHTS) == pytest.approx(expected_B, rel=1e-5)


def test_every_user_creator_and_the_orchestrator_have_an_agent(zoo, config):
    zoo.reset(seed=0)
    kinds = [kind(agent) for agent in zoo.agents]
    assert kinds.count(ORCHESTRATOR) == 1
    assert kinds.count("content") == config.scale.creators
    assert kinds.count("user") >= config.scale.users


def still(zoo):
    return {agent: np.zeros(zoo.action_space(agent).shape, dtype=np.float32) for agent in zoo.agents}


def test_boosted_slots_stay_under_the_cap_and_are_won_by_bids(zoo):
    zoo.reset(seed=0)
    actions = still(zoo)
    actions[ORCHESTRATOR][:] = 1
    bidder = next(int(creator) for creator in zoo.market.view().items.creator_I[zoo.market.view().items.is_new_I])
    actions[f"content_{bidder}"][:] = 1
    view, users_B = zoo.market.view(), zoo.market.present()
    slates = zoo._slates(view, users_B, actions)
    slates.check(view, users_B)
    assert 0 < slates.boosted_BN.mean() <= BOOST_CAP
    won = view.items.creator_I[slates.item_BN[slates.boosted_BN]]
    assert set(won.tolist()) == {bidder}


def test_nothing_is_boosted_when_nobody_asks(zoo):
    zoo.reset(seed=0)
    actions = still(zoo)
    actions[ORCHESTRATOR][3] = 1
    assert not zoo._slates(zoo.market.view(), zoo.market.present(), actions).boosted_BN.any()


def test_a_user_who_explores_is_shown_topics_that_it_did_not_click(zoo):
    zoo.reset(seed=0)
    actions = still(zoo)
    actions[ORCHESTRATOR][0] = 1
    for _ in range(3):
        zoo.step({**still(zoo), ORCHESTRATOR: actions[ORCHESTRATOR]})
    view, users_B = zoo.market.view(), zoo.market.present()
    home = zoo._slates(view, users_B, actions).item_BN
    for user in users_B:
        actions[f"user_{user}"][:] = 1
    abroad = zoo._slates(view, users_B, actions).item_BN

    def foreign(item_BN):
        recent_BT = view.users.recent_UT[users_B]
        return (np.take_along_axis(recent_BT, view.items.category_I[item_BN], axis=1) == 0).mean()

    assert foreign(abroad) >= foreign(home)
    assert not np.array_equal(home, abroad)


def test_rewards_go_to_who_earned_them(zoo):
    zoo.reset(seed=0)
    present = {f"user_{user}" for user in zoo.market.present()}
    _, rewards, *_ = zoo.step(still(zoo))
    assert set(rewards) == set(zoo.possible_agents)
    assert all(rewards[agent] == 0 for agent in rewards if kind(agent) == "user" and agent not in present)
    assert rewards[ORCHESTRATOR] > 0
