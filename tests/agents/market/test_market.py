from __future__ import annotations

from dataclasses import asdict, fields, replace

import numpy as np
import pytest

from reward_llm.agents.allocation import Slates
from reward_llm.agents.market.config import MarketConfig, ScaleConfig
from reward_llm.agents.market.market import Market
from reward_llm.agents.market.play import play
from reward_llm.domain.weights import Weights
from reward_llm.errors import AllocationInvalid
from tests.agents.market.recommenders import WEIGHTS, Ideal, OneTopic, Uniform, random_slates


def advanced(config, *, seed=0):
    """Give a market on its first day, before the first page."""
    market = Market(config, seed=seed, weights=lambda: WEIGHTS)
    for _ in range(config.scale.warm_up_days):
        market.begin_day()
        while len(users_B := market.present()):
            market.step(market.logging_slates(users_B))
        market.end_day()
    market.begin_day()
    return market


def test_a_run_is_the_same_for_the_same_seeds(config):
    first, again, other = (
        play(Market(config, seed=seed, weights=lambda: WEIGHTS), Uniform(), np.random.default_rng(1))
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_the_warm_up_is_the_same_for_every_recommender(config, generator):
    uniform, one_topic = Uniform(), OneTopic()
    for recommender in (uniform, one_topic):
        play(Market(config, seed=0, weights=lambda: WEIGHTS), recommender, generator)
    for ours, theirs in zip(uniform.outcomes, one_topic.outcomes, strict=False):
        if ours.day >= 0:
            break
        assert np.array_equal(ours.item_BN, theirs.item_BN)
        assert np.array_equal(ours.clicked_BN, theirs.clicked_BN)


def test_users_served_one_by_one_do_what_they_do_when_served_at_once(config, generator):
    at_once, one_by_one = advanced(config), advanced(config)
    users_B = at_once.present()
    item_BN = random_slates(at_once.view(), len(users_B), generator)
    whole = at_once.step(Slates.plain(item_BN))
    parts = [one_by_one.step(Slates.plain(item_BN[[place]]), users_B[[place]]) for place in range(len(users_B))]
    for name in ("clicked_BN", "dwell_s_BN", "completed_BN", "bought_BN", "left_B"):
        assert np.array_equal(getattr(whole, name), np.concatenate([getattr(part, name) for part in parts]))
    assert one_by_one.step_of_day == at_once.step_of_day == 1
    assert np.array_equal(one_by_one.present(), at_once.present())
    assert np.array_equal(one_by_one.view().users.history_UH, at_once.view().users.history_UH)


def test_a_recommender_that_knows_tastes_beats_chance_on_every_row(config, generator):
    market = Market(config, seed=0, weights=lambda: WEIGHTS)
    ideal = play(market, Ideal(market), generator)
    uniform = play(Market(config, seed=0, weights=lambda: WEIGHTS), Uniform(), generator)
    for row in ("new_content_ctr", "interest_diversity", "next_day_retention", "gmv", "watch_time_min"):
        assert getattr(ideal, row) > getattr(uniform, row)
    assert ideal.boost_cost < uniform.boost_cost


def test_pages_of_one_topic_tire_and_bore_users(config, generator):
    monotone_market, mixed_market = (Market(config, seed=0, weights=lambda: WEIGHTS) for _ in range(2))
    monotone = play(monotone_market, OneTopic(), generator)
    mixed = play(mixed_market, Uniform(), generator)
    assert monotone_market.users.minds.fatigue_U.mean() > mixed_market.users.minds.fatigue_U.mean()
    assert monotone.next_day_retention < mixed.next_day_retention
    assert monotone.interest_diversity < mixed.interest_diversity


def test_the_scale_is_plausible_under_the_logging_policy():
    config = MarketConfig()
    days = replace(config.scale, warm_up_days=6, days=1)
    market = Market(replace(config, scale=days), seed=0, weights=lambda: WEIGHTS)
    logs = []
    play(market, Uniform(), np.random.default_rng(0), on_day=logs.append)
    impressions = sum(log.impressions for log in logs)
    assert 0.01 < sum(log.clicks for log in logs) / impressions < 0.15
    assert 0.3 < sum(log.returned for log in logs) / sum(log.visitors for log in logs) < 0.8
    assert 0.05 < logs[-1].visitors / logs[-1].registered < 0.6
    assert 3 < sum(log.pages for log in logs) / sum(log.visitors for log in logs) < 20


def test_the_view_shows_no_hidden_side(market):
    view = market.view()
    shown = {field.name for facts in (view.users, view.items) for field in fields(facts)}
    assert not shown & {"taste_UT", "quality_I", "appeal_I", "cheats_C", "satisfaction_U", "loyalty_U", "skill_C"}


def test_the_view_is_read_only_and_holds_what_is_published(config):
    market = advanced(config)
    view = market.view()
    with pytest.raises(ValueError, match="read-only"):
        view.items.clicks_I[0] = 1
    assert (view.items.age_days_I >= 0).all()
    assert (view.users.tenure_days_U >= 0).all()
    before = len(view.items.age_days_I)
    while len(users_B := market.present()):
        market.step(market.logging_slates(users_B))
    market.end_day()
    market.begin_day()
    assert len(market.view().items.age_days_I) == before + int((market.catalogue.published_I == 1).sum())


def test_the_weights_are_asked_at_every_view(config):
    served = [WEIGHTS]
    market = Market(config, seed=0, weights=lambda: served[-1])
    assert market.view().weights == WEIGHTS
    served.append(Weights({"click": 1.0}))
    assert market.view().weights == Weights({"click": 1.0})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda item_BN: item_BN[:-1], "shape"),
        (lambda item_BN: np.where(item_BN == item_BN.max(), 10**6, item_BN), "isn't published"),
        (lambda item_BN: np.where(np.arange(item_BN.shape[1]) == 1, item_BN[:, :1], item_BN), "twice"),
    ],
)
def test_slates_that_cannot_be_shown_are_refused_and_nothing_is_lost(config, generator, spoil, message):
    market = advanced(config)
    users_B = market.present()
    item_BN = random_slates(market.view(), len(users_B), generator)
    with pytest.raises(AllocationInvalid, match=message) as refused:
        market.step(Slates.plain(spoil(item_BN)))
    assert refused.value.hint
    assert np.array_equal(market.present(), users_B)
    assert market.step(Slates.plain(item_BN)).step == 0


def test_a_negative_cost_is_refused(config, generator):
    market = advanced(config)
    plain = Slates.plain(random_slates(market.view(), len(market.present()), generator))
    with pytest.raises(AllocationInvalid, match="cost"):
        market.step(replace(plain, cost_BN=plain.cost_BN - 1))


def test_unearned_exposure_of_new_content_is_paid_for_whoever_declares_it(config, generator):
    market = advanced(config)
    view, users_B = market.view(), market.present()
    fresh = np.flatnonzero(market.catalogue.shown_here_I[: len(view.items.age_days_I)] == 0)
    fresh = fresh[view.items.is_new_I[fresh]][:1]
    old = np.flatnonzero(~view.items.is_new_I)[: view.slate - 1]
    item_BN = np.tile(np.concatenate([fresh, old]), (len(users_B), 1))
    outcome = market.step(Slates.plain(item_BN))
    assert outcome.boosted_BN[:, 0].all()
    assert not outcome.boosted_BN[:, 1:].any()
    assert outcome.cost_BN[:, 0] == pytest.approx(view.boost_price)


def test_a_higher_offer_is_taken_and_a_lower_one_raised_to_the_price(config, generator):
    market = advanced(config)
    view, users_B = market.view(), market.present()
    plain = Slates.plain(np.tile(np.flatnonzero(~view.items.is_new_I)[: view.slate], (len(users_B), 1)))
    boosted_BN, cost_BN = np.zeros_like(plain.boosted_BN), np.zeros_like(plain.cost_BN)
    boosted_BN[:, :2] = True
    cost_BN[:, 0] = 5.0
    outcome = market.step(replace(plain, boosted_BN=boosted_BN, cost_BN=cost_BN))
    assert outcome.cost_BN[:, 0] == pytest.approx(5.0)
    assert outcome.cost_BN[:, 1] == pytest.approx(view.boost_price * view.examination_N[1])
    assert not outcome.cost_BN[:, 2:].any()


def test_what_is_on_record_adds_up_to_what_was_observed(config, generator):
    config = replace(
        config, content=replace(config.content, outside_visits=0.0), cheats=replace(config.cheats, share=0)
    )
    market, recommender = Market(config, seed=0, weights=lambda: WEIGHTS), Uniform()
    play(market, recommender, generator)
    view = market.view()
    items = len(view.items.age_days_I)
    for name, count_I in (
        ("clicked_BN", view.items.clicks_I),
        ("completed_BN", view.items.completions_I),
        ("shared_BN", view.items.shares_I),
        ("bought_BN", view.items.purchases_I),
        ("dwell_s_BN", view.items.dwell_s_I),
        ("value_BN", view.items.revenue_I),
    ):
        seen_I = np.zeros(items)
        for outcome in recommender.outcomes:
            np.add.at(seen_I, outcome.item_BN, getattr(outcome, name))
        assert count_I == pytest.approx(seen_I, rel=1e-4), name
    assert view.users.clicked_UT.sum() == view.items.clicks_I.sum()
    assert view.users.shown_UT.sum() == view.items.impressions_I.sum()
    assert (view.users.completed_UT <= view.users.clicked_UT).all()


def test_histories_keep_the_last_clicks_in_their_order(config, generator):
    market, recommender = Market(config, seed=0, weights=lambda: WEIGHTS), Uniform()
    play(market, recommender, generator)
    clicks: dict[int, list[int]] = {}
    for outcome in recommender.outcomes:
        for row, slot in zip(*np.nonzero(outcome.clicked_BN), strict=True):
            clicks.setdefault(int(outcome.users_B[row]), []).append(int(outcome.item_BN[row, slot]))
    history_UH = market.view().users.history_UH
    width = history_UH.shape[1]
    assert max(map(len, clicks.values())) > 3
    for user, items in clicks.items():
        assert history_UH[user].tolist() == ([-1] * width + items)[-width:]


def test_visits_have_no_more_pages_than_they_may(config, generator):
    market, recommender = Market(config, seed=0, weights=lambda: WEIGHTS), Uniform()
    play(market, recommender, generator)
    assert max(outcome.step for outcome in recommender.outcomes) <= config.scale.pages - 1
    assert market.over
    assert len(market.days_log) == config.scale.days


def test_a_day_of_nobody_is_a_day(config, generator):
    empty = replace(
        config,
        scale=replace(config.scale, users=1, users_a_day=0.0, warm_up_days=0, days=3),
        visits=replace(config.visits, back=-50.0, reawaken=0.0),
    )
    market = Market(empty, seed=0, weights=lambda: WEIGHTS)
    outcomes = asdict(play(market, Uniform(), generator))
    assert sum(log.visitors for log in market.days_log) <= 1
    assert outcomes["gmv"] >= 0


@pytest.mark.parametrize(
    "change", [{"users": 0}, {"items": 5}, {"topics": 4}, {"items_a_day": -1.0}, {"warm_up_days": -1}]
)
def test_an_impossible_scale_is_refused(change):
    with pytest.raises(ValueError, match=r"at least|fewer|more than one"):
        MarketConfig(scale=replace(ScaleConfig(), **change))


def test_every_parameter_has_a_unit_and_an_origin():
    rows = list(MarketConfig().parameters())
    assert len({name for name, *_ in rows}) == len(rows) > 60
    assert all(unit and origin for _, _, unit, origin in rows)


def test_the_market_is_the_one_that_tables_were_measured_in():
    assert MarketConfig().fingerprint() == "5432c8caa8e0"
    assert MarketConfig.small().fingerprint() != "5432c8caa8e0"
