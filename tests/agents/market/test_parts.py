"""What follows clicks and visits, and the numbers that decide it."""

from __future__ import annotations

import numpy as np
import pytest

from reward_llm.agents.market import retention
from reward_llm.agents.market.catalogue import Catalogue
from reward_llm.agents.market.commerce import dwell_times, purchase_chance, undercut
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.creators import Creators
from reward_llm.agents.market.draws import RESPONSES, Draws, Purpose

CONFIG = MarketConfig()


@pytest.fixture(scope="module")
def catalogue():
    creators = Creators.drawn(CONFIG, np.random.default_rng(0))
    return Catalogue.drawn(CONFIG, creators, np.random.default_rng(1))


def test_numbers_of_a_page_are_uniform_and_unrelated():
    response_BNR, leave_B = Draws(3).page(4, 2, np.arange(5_000), slots=10)
    assert response_BNR.shape == (5_000, 10, RESPONSES)
    every = np.concatenate([response_BNR.reshape(5_000, -1), leave_B[:, None]], axis=1)
    assert every.min() >= 0
    assert every.max() < 1
    share_10 = np.histogram(every, bins=10, range=(0, 1))[0] / every.size
    assert share_10 == pytest.approx(0.1, abs=0.003)
    correlation = np.corrcoef(every.T) - np.eye(every.shape[1])
    assert np.abs(correlation).max() < 0.08


def test_numbers_depend_on_seed_day_page_and_user_and_on_nobody_else():
    users_B = np.array([3, 8, 21])
    numbers, _ = Draws(0).page(1, 1, users_B, slots=4)
    alone, _ = Draws(0).page(1, 1, users_B[1:2], slots=4)
    assert np.array_equal(numbers[1:2], alone)
    others = [Draws(1).page(1, 1, users_B, slots=4)[0], Draws(0).page(2, 1, users_B, slots=4)[0]]
    others += [Draws(0).page(1, 2, users_B, slots=4)[0], Draws(0).page(1, 1, users_B + 1, slots=4)[0]]
    assert all(not np.array_equal(numbers, other) for other in others)


def test_streams_for_other_purposes_differ():
    draws = Draws(0)
    assert draws.stream(Purpose.NIGHT, 1).random() != draws.stream(Purpose.OUTSIDE, 1).random()
    assert draws.stream(Purpose.NIGHT, 1).random() == draws.stream(Purpose.NIGHT, 1).random()


def test_items_have_two_or_three_topics_one_of_them_their_creators(catalogue):
    creators = Creators.drawn(CONFIG, np.random.default_rng(0))
    about_I = (catalogue.topic_IT > 0).sum(1)
    assert set(about_I.tolist()) == {2, 3}
    assert np.linalg.norm(catalogue.topic_IT, axis=1) == pytest.approx(1, abs=1e-5)
    own_I = catalogue.topic_IT[np.arange(len(about_I)), creators.topic_C[catalogue.creator_I]]
    assert (own_I > 0).all()


def test_what_is_published_by_a_day_is_a_prefix(catalogue):
    assert (np.diff(catalogue.published_I) >= 0).all()
    for day in (-8, 0, 12):
        assert catalogue.published(day) == int((catalogue.published_I <= day).sum())


def test_previews_and_appeal_hint_at_quality_without_giving_it_away(catalogue):
    for hint_I in (catalogue.preview_I, catalogue.appeal_I):
        assert 0.2 < np.corrcoef(hint_I, catalogue.quality_I)[0, 1] < 0.8


def test_an_item_is_undercut_by_a_cheaper_one_of_its_topic_that_is_for_sale():
    category_XN = np.array([[1, 1, 2], [1, 1, 2], [1, 1, 1]])
    price_XN = np.array([[9.0, 5.0, 1.0], [9.0, 5.0, 1.0], [9.0, 0.0, 10.0]])
    assert undercut(category_XN, price_XN, np.array([0, 1, 0])).tolist() == [True, False, False]


def test_nothing_free_is_bought_and_cheap_good_items_are_bought_most():
    price_X = np.array([0.0, 20.0, 80.0, 20.0, 20.0])
    quality_X = np.array([0.9, 0.9, 0.9, 0.3, 0.9])
    rival_X = np.array([False, False, False, False, True])
    chance_X = purchase_chance(price_X, rival_X, quality_X, np.full(5, 0.5), CONFIG.responses)
    assert chance_X[0] == 0
    assert chance_X.argmax() == 1
    assert (chance_X[1:] > 0).all()


def test_dwell_is_longer_for_better_items_and_completed_views_and_never_endless():
    uniform_X = np.array([0.5, 0.5, 0.5, 1.0])
    seconds_X = dwell_times(
        np.array([0.0, 0.3, 0.0, 0.5]), np.array([False, False, True, True]), uniform_X, CONFIG.responses
    )
    assert seconds_X[0] == pytest.approx(np.exp(CONFIG.responses.dwell_log_s), rel=1e-5)
    assert seconds_X[0] < seconds_X[1] < seconds_X[3] <= CONFIG.responses.dwell_most_s
    assert seconds_X[0] < seconds_X[2]


def test_satisfied_users_stay_and_return_and_tired_ones_do_not():
    satisfaction_B, fatigue_B = np.array([0.5, 0.8, 0.5]), np.array([0.0, 0.0, 0.7])
    leave_B = retention.leaving(satisfaction_B, fatigue_B, np.zeros(3), CONFIG.visits)
    back_B = retention.returning(satisfaction_B, fatigue_B, np.full(3, 0.4), np.zeros(3), CONFIG.visits)
    assert leave_B[1] < leave_B[0] < leave_B[2]
    assert back_B[1] > back_B[0] > back_B[2]


def test_varied_days_bring_users_back_and_absence_fades():
    same = np.full(2, 0.5)
    back_B = retention.returning(same, np.zeros(2), np.array([0.1, 0.9]), np.zeros(2), CONFIG.visits)
    assert back_B[0] < back_B[1]
    awake_B = retention.reawakening(np.array([1, 5, 50]), CONFIG.visits)
    assert awake_B[0] == pytest.approx(CONFIG.visits.reawaken)
    assert awake_B[0] > awake_B[1] > awake_B[2] > 0
