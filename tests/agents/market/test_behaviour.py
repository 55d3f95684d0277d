"""Our users against SARDINE's own, one user at a time."""

from __future__ import annotations

from dataclasses import replace

import gymnasium
import numpy as np
import pytest
from sardine.simulator import Sardine

from reward_llm.agents.market import behaviour, moods
from reward_llm.agents.market.behaviour import Boredom
from reward_llm.agents.market.config import MarketConfig

CONFIG = MarketConfig()
PAGES = 60


@pytest.fixture(scope="module")
def sardine():
    settings = gymnasium.spec("sardine/SlateTopK-Uncertain-v0").kwargs | {
        "boredom_type": "user_tloi",
        "diversity_penalty": CONFIG.clicks.crowd_penalty,
        "env_omega": 1.0,
        "episode_length": 10_000,
    }
    environment = Sardine(**settings)
    environment.reset(seed=3)
    return environment


def reset(environment) -> None:
    """Give SARDINE's user a life without clicks, as ours starts."""
    for kept in (environment.clicked_items, environment.clicked_item_topics, environment.clicked_step):
        kept.clear()
    environment.t = 0
    environment.bored[:] = False
    environment.bored_timeout[:] = environment.boredom_moving_window


def test_boredom_is_that_of_sardine_click_for_click(sardine, generator):
    reset(sardine)
    user_B = np.array([0])
    boredom = Boredom.none(1, CONFIG.tastes, topics=10)
    seen = set()
    for _ in range(PAGES):
        slate_N = generator.choice(np.flatnonzero(sardine.item_comp < 4), 10, replace=False)
        click_N = generator.uniform(size=10) < 0.4
        clicked = np.flatnonzero(click_N)
        sardine.clicked_item_topics.extend(sardine.item_comp[slate_N[clicked]])
        sardine.clicked_step.extend(sardine.t * np.ones_like(clicked))
        sardine._update_user_state(slate_N, clicked)
        bored_BT, count_BT = boredom.page(user_B, click_N[None], sardine.item_comp[slate_N][None], CONFIG.tastes)
        assert bored_BT[0].tolist() == sardine.bored.tolist()
        assert boredom.left_UT[0].tolist() == sardine.bored_timeout.tolist()
        recent_T = np.clip(count_BT[0] / CONFIG.tastes.boredom, 0, 1)
        assert recent_T == pytest.approx(sardine.norm_recent_topics_hist)
        seen.add(bool(bored_BT.any()))
    assert seen == {True, False}


def test_click_chances_are_those_of_sardine(sardine, generator):
    taste_T = sardine.user_embedd
    for crowd in (False, True):
        items = np.flatnonzero(sardine.item_comp < (1 if crowd else 10))
        slate_N = generator.choice(items, 10, replace=False)
        category_BN = sardine.item_comp[slate_N][None]
        score_BN = (sardine.item_embedd[slate_N] @ taste_T / sardine.max_score)[None]
        relevance_BN = behaviour.relevance(score_BN, CONFIG.clicks)
        crowded_B = behaviour.crowded(behaviour.topic_counts(category_BN, 10), CONFIG.clicks)
        looked_N = behaviour.examination(10, CONFIG.clicks)
        ours_N = relevance_BN[0] / (CONFIG.clicks.crowd_penalty if crowded_B[0] else 1) * looked_N
        told: dict[str, np.ndarray] = {}

        class Spy:
            def binomial(self, n, p, told=told):
                told["p"] = p
                return np.zeros(len(p), dtype=int)

        real, sardine._np_random = sardine._np_random, Spy()
        sardine._compute_clicks(relevance_BN[0].copy(), category_BN[0])
        sardine._np_random = real
        assert crowded_B[0] == (np.bincount(category_BN[0]).max() >= 4)
        assert ours_N == pytest.approx(told["p"], rel=1e-6)


def test_users_like_as_many_topics_as_those_of_sardine(sardine, generator):
    taste_UT = behaviour.tastes(2_000, CONFIG.tastes, topics=10, generator=generator)
    liked_U = (taste_UT > 0).sum(1)
    theirs = []
    for _ in range(500):
        sardine._reset_user_embedds()
        theirs.append(int((sardine.user_embedd > 0).sum()))
    assert set(liked_U) == set(theirs) == {3, 4, 5}
    assert np.linalg.norm(taste_UT, axis=1) == pytest.approx(1, abs=1e-6)


def test_tastes_drift_towards_what_was_clicked_and_otherwise_stay(generator):
    taste_BT = behaviour.tastes(3, CONFIG.tastes, topics=10, generator=generator)
    topic_BNT = np.zeros((3, 4, 10), dtype=np.float32)
    topic_BNT[:, :, 7] = 1
    clicked_BN = np.zeros((3, 4), dtype=bool)
    clicked_BN[1, :2] = True
    moved_BT = behaviour.drifted(taste_BT, clicked_BN, topic_BNT, CONFIG.tastes)
    expected_T = 0.95 * taste_BT[1]
    expected_T[7] += 0.05
    assert moved_BT[[0, 2]] == pytest.approx(taste_BT[[0, 2]])
    assert moved_BT[1] == pytest.approx(expected_T / np.linalg.norm(expected_T), abs=1e-6)


def test_satisfaction_is_an_exponentially_weighted_mean():
    value_B = np.array([0.5])
    for experience in (1.0, 0.0, 1.0):
        value_B = moods.satisfaction(value_B, np.array([experience]), np.array([0.1]))
    assert value_B[0] == pytest.approx(0.5 * 0.9**3 + 0.1 * (0.9**2 + 1))


def test_curiosity_rises_with_novel_clicks_and_returns_to_where_it_was():
    roused_B = moods.curiosity(np.array([0.3, 0.3]), np.array([0, 2]), CONFIG.moods)
    assert roused_B[1] == pytest.approx(1 - 0.7 * (1 - CONFIG.moods.curiosity_gain) ** 2)
    for _ in range(500):
        roused_B = moods.curiosity(roused_B, np.array([0, 0]), CONFIG.moods)
    assert roused_B == pytest.approx(CONFIG.moods.curiosity_start, abs=1e-3)


def test_three_of_a_topic_in_a_row_tire_and_two_do_not():
    category_BN = np.array([[1, 1, 2, 2, 1, 1], [1, 2, 2, 2, 1, 3], [0, 0, 0, 0, 0, 0]])
    same_B = moods.monotonous(category_BN, 3)
    assert same_B.tolist() == [False, True, True]
    fatigue_B = moods.fatigue(np.array([0.2, 0.2, 0.2]), same_B, CONFIG.moods)
    assert fatigue_B[0] < 0.2 < fatigue_B[1]


def test_users_explore_more_the_less_content_they_are():
    explore_B = moods.exploration(np.array([0.9, 0.5, 0.3, 0.0]), CONFIG.moods)
    assert explore_B[0] == explore_B[1] < explore_B[2] < explore_B[3]


def test_a_disappointing_click_is_worse_than_none_and_a_good_view_better():
    quality_BN = np.full((3, 2), 0.8)
    clicked_BN = np.array([[False, False], [True, False], [True, False]])
    completed_BN = np.array([[False, False], [False, False], [True, False]])
    none, abandoned, completed = moods.experience(quality_BN, clicked_BN, completed_BN, CONFIG.moods)
    assert abandoned < none < completed


def test_two_topics_in_a_row_never_make_a_page_monotonous_when_pages_are_short():
    config = replace(CONFIG.moods, alike=3)
    assert not moods.monotonous(np.array([[1, 1]]), config.alike).any()
