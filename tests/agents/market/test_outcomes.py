from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.agents.market.market import Market
from reward_llm.agents.market.outcomes import ROWS, DayLog, Outcomes, ordered_share
from reward_llm.agents.market.play import play
from tests.agents.market.recommenders import WEIGHTS, Uniform

DAY = DayLog(
    day=0,
    registered=200,
    visitors=50,
    returned=30,
    pages=100,
    impressions=1_000,
    clicks=40,
    new_impressions=100,
    new_clicks=3,
    new_completions=2,
    boosted_impressions=50,
    boost_spent=1.5,
    gmv=80.0,
    watch_s=60_000.0,
    completions=25,
    ordered_pairs=45.0,
    paired_pages=90,
    diversity=0.3,
    satisfaction=0.5,
    judged=10,
    succeeded=4,
)


@pytest.fixture
def played(config, generator):
    config = replace(config, exposure=replace(config.exposure, success_completions=2))
    market, recommender = Market(config, seed=0, weights=lambda: WEIGHTS), Uniform()
    return market, recommender, play(market, recommender, generator)


def test_rows_are_ratios_of_sums_over_the_days():
    quiet = replace(DAY, day=1, visitors=10, returned=1, gmv=0.0, diversity=0.6, new_completions=0, boost_spent=0.5)
    outcomes = Outcomes.of([DAY, quiet])
    assert outcomes.new_content_ctr == pytest.approx(6 / 200)
    assert outcomes.interest_diversity == pytest.approx((0.3 * 50 + 0.6 * 10) / 60)
    assert outcomes.cold_start_success == pytest.approx(8 / 20)
    assert outcomes.next_day_retention == pytest.approx(31 / 60)
    assert outcomes.boost_cost == pytest.approx(2.0 / 2)
    assert outcomes.gmv == pytest.approx(100 * 80 / 400)
    assert outcomes.watch_time_min == pytest.approx(2_000 / 60)
    assert outcomes.group_order == pytest.approx(0.5)


def test_what_was_never_measured_is_not_a_number():
    outcomes = Outcomes.of([replace(DAY, judged=0, succeeded=0, new_completions=0)])
    assert math.isnan(outcomes.cold_start_success)
    assert math.isnan(outcomes.boost_cost)
    assert not math.isnan(outcomes.gmv)


def test_every_row_of_the_comparison_is_an_outcome():
    assert set(ROWS) <= set(Outcomes.__slots__)


@given(st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=5))
def test_order_counts_every_pair_of_different_groups(pages):
    expected = []
    for page in pages:
        pairs = [(a, b) for a, b in itertools.combinations(page, 2) if a != b]
        expected.append(sum(a < b for a, b in pairs) / len(pairs) if pairs else math.nan)
    assert ordered_share(np.array(pages)) == pytest.approx(np.array(expected), nan_ok=True)


def test_the_log_adds_up_to_what_the_recommender_observed(played):
    market, recommender, _ = played
    outcomes = [outcome for outcome in recommender.outcomes if outcome.day >= 0]
    assert sum(log.clicks for log in market.days_log) == sum(int(o.clicked_BN.sum()) for o in outcomes)
    assert sum(log.gmv for log in market.days_log) == pytest.approx(sum(float(o.value_BN.sum()) for o in outcomes))
    assert sum(log.boost_spent for log in market.days_log) == pytest.approx(
        sum(float(o.cost_BN.sum()) for o in outcomes)
    )
    for log in market.days_log:
        users = {user for o in outcomes if o.day == log.day for user in o.users_B.tolist()}
        assert log.visitors == len(users)


def test_who_returned_was_there_on_both_days(played):
    market, recommender, _ = played
    there = [
        {user for o in recommender.outcomes if o.day == day for user in o.users_B.tolist()}
        for day in range(market.config.scale.days)
    ]
    for log, today, tomorrow in zip(market.days_log, there, there[1:], strict=False):
        assert log.returned == len(today & tomorrow)


def test_success_is_enough_completed_views_within_the_time(played):
    market, recommender, outcomes = played
    exposure, days = market.config.exposure, market.config.scale.days
    published_I = market.catalogue.published_I
    done_I = np.zeros(len(published_I))
    for outcome in recommender.outcomes:
        in_time_BN = outcome.day - published_I[outcome.item_BN] < exposure.success_days
        np.add.at(done_I, outcome.item_BN, outcome.completed_BN & in_time_BN)
    judged_I = (published_I >= 0) & (published_I <= days - exposure.success_days)
    assert judged_I.sum() == sum(log.judged for log in market.days_log)
    succeeded_I = done_I[judged_I] >= exposure.success_completions
    assert 0 < outcomes.cold_start_success < 1
    assert outcomes.cold_start_success == pytest.approx(succeeded_I.mean())
