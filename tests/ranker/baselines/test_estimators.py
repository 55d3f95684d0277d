# L lists, M candidates, N positions, E positions known

from __future__ import annotations

import dataclasses
import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ranker.errors import LogInvalid, ShapeMismatch, SlateInvalid, ValueOutOfRange
from ranker.estimators import ClickEstimate, EstimatorConfig, estimate_clicks
from ranker.requests import EMPTY, LoggedLists
from tests.ranker.baselines.lists import logged
from tests.ranker.batches import random_requests, random_slates, seeds

UNCLIPPED = EstimatorConfig(least_examination=0, resamples=2)


def falling(seed: int, positions: int) -> Tensor:
    """An examination that is 1 at first and falls."""
    drop_E = 0.4 + 0.5 * torch.rand(positions, generator=torch.Generator().manual_seed(seed))
    drop_E[0] = 1
    return drop_E.cumprod(0)


def position_based_log(seed: int, count: int, candidates: int, size: int) -> tuple[LoggedLists, Tensor, Tensor]:
    """Lists of some of the candidates, the true examination and the true attraction of the candidates."""
    requests = random_requests(seed, count, candidates, fewest=candidates)
    generator = torch.Generator().manual_seed(seed)
    attraction_BM = torch.rand(count, candidates, generator=generator)
    shown_BN = torch.rand(count, candidates, generator=generator).argsort(-1)[:, :size]
    examination_E = falling(seed, candidates)
    prob_BN = examination_E[:size] * attraction_BM.gather(1, shown_BN)
    click_BN = torch.rand(prob_BN.shape, generator=generator) < prob_BN
    return logged(requests, shown_BN, click_BN), examination_E, attraction_BM


def new_orders(seed: int, lists: LoggedLists) -> Tensor:
    """Some of what was shown, in another order."""
    order_BN = torch.rand(lists.shown_BN.shape, generator=torch.Generator().manual_seed(seed + 1)).argsort(-1)
    return lists.shown_BN.gather(1, order_BN)[:, : max(1, lists.N - 1)]


def true_clicks(slate_BN: Tensor, examination_E: Tensor, attraction_BM: Tensor) -> Tensor:
    """Expected clicks of each order: what the estimator is after."""
    return (examination_E[: slate_BN.shape[1]] * attraction_BM.gather(1, slate_BN)).sum(-1)


@given(seed=seeds, size=st.integers(1, 4))
def test_the_estimate_is_unbiased_over_all_clicks_that_could_have_been(seed: int, size: int) -> None:
    lists, examination_E, attraction_BM = position_based_log(seed, 1, 5, size)
    slate_BN = new_orders(seed, lists)
    prob_N = (examination_E[:size] * attraction_BM.gather(1, lists.shown_BN))[0]
    expected = 0.0
    for clicks in itertools.product([False, True], repeat=size):
        click_BN = torch.tensor([clicks])
        chance = torch.where(click_BN[0], prob_N, 1 - prob_N).prod().item()
        if any(clicks):
            seen = dataclasses.replace(lists, click_BN=click_BN)
            expected += chance * estimate_clicks(seen, slate_BN, examination_E, UNCLIPPED).clicks
    assert expected == pytest.approx(true_clicks(slate_BN, examination_E, attraction_BM).item(), abs=1e-4)


@given(seed=seeds)
def test_the_estimate_is_that_of_plain_loops(seed: int) -> None:
    requests = random_requests(seed, 5, 6, fewest=2)
    shown_BN, slate_BN = random_slates(seed, requests, slates=2, size=5).unbind(1)
    click_BN = (torch.rand(5, 5, generator=torch.Generator().manual_seed(seed)) < 0.4) & (shown_BN != EMPTY)
    lists, examination_E = logged(requests, shown_BN, click_BN), falling(seed, 6)
    config = EstimatorConfig(least_examination=0.3, resamples=2)
    if not click_BN.any():
        with pytest.raises(LogInvalid):
            estimate_clicks(lists, slate_BN, examination_E, config)
        return
    found = estimate_clicks(lists, slate_BN, examination_E, config)
    expected = plain_estimate(shown_BN.tolist(), slate_BN.tolist(), click_BN.tolist(), examination_E.tolist(), 0.3)
    assert (found.clicks, found.share, found.lift) == pytest.approx(expected[:3], abs=1e-5)
    assert (found.effective_clicks, found.clipped) == pytest.approx(expected[3:], abs=1e-4)


def plain_estimate(shown, slates, clicks, examination, least) -> tuple[float, ...]:
    """Click by click."""
    new = old = weighed = squares = count = clipped = 0.0
    for items, slate, clicked in zip(shown, slates, clicks, strict=True):
        for place, item in enumerate(items):
            if clicked[place]:
                weight = 1 / max(examination[place], least)
                weighed, squares, count = weighed + weight, squares + weight**2, count + 1
                clipped += examination[place] < least
                old += weight * examination[place]
                new += weight * examination[slate.index(item)] if item in slate else 0
    return new / len(shown), new / weighed, new / old - 1, weighed**2 / squares, clipped / count


@pytest.mark.parametrize("seed", range(3))
def test_many_lists_come_near_the_truth_and_biased_clicks_do_not(seed: int) -> None:
    lists, examination_E, attraction_BM = position_based_log(seed, 20_000, 6, 6)
    best_BN = attraction_BM.gather(1, lists.shown_BN).argsort(-1, descending=True)
    slate_BN = lists.shown_BN.gather(1, best_BN)
    truth = true_clicks(slate_BN, examination_E, attraction_BM).mean().item()
    logged_truth = true_clicks(lists.shown_BN, examination_E, attraction_BM).mean().item()
    found = estimate_clicks(lists, slate_BN, examination_E, dataclasses.replace(UNCLIPPED, resamples=100))
    assert found.clicks == pytest.approx(truth, rel=0.05)
    assert found.lift == pytest.approx(truth / logged_truth - 1, abs=0.06)
    assert found.share == pytest.approx(truth / attraction_BM.sum(-1).mean().item(), rel=0.05)
    as_if_unbiased = estimate_clicks(lists, slate_BN, torch.ones(6), UNCLIPPED)
    assert as_if_unbiased.lift == pytest.approx(0, abs=1e-6)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    config = EstimatorConfig(least_examination=0, resamples=150, confidence=0.9)
    held = 0
    for seed in range(80):
        lists, examination_E, attraction_BM = position_based_log(0, 300, 5, 5)
        generator = torch.Generator().manual_seed(seed)
        prob_BN = examination_E[:5] * attraction_BM.gather(1, lists.shown_BN)
        lists = dataclasses.replace(lists, click_BN=torch.rand(prob_BN.shape, generator=generator) < prob_BN)
        slate_BN = lists.shown_BN.flip(-1)
        low, high = estimate_clicks(lists, slate_BN, examination_E, config).clicks_interval
        held += low <= true_clicks(slate_BN, examination_E, attraction_BM).mean().item() <= high
    assert held >= 0.8 * 80


def test_the_logged_order_has_no_lift_and_needs_no_model_for_its_clicks() -> None:
    lists, examination_E, _ = position_based_log(4, 50, 5, 4)
    found = estimate_clicks(lists, lists.shown_BN, examination_E, UNCLIPPED)
    assert found.lift == 0
    assert found.lift_interval == (0, 0)
    assert found.clicks == pytest.approx(lists.click_BN.sum().item() / 50)


def test_the_lift_can_be_over_another_order_than_the_logged_one() -> None:
    lists, examination_E, _ = position_based_log(11, 60, 5, 4)
    new_BN, old_BN = lists.shown_BN.flip(-1), lists.shown_BN[:, :2]
    lift = estimate_clicks(lists, new_BN, examination_E, UNCLIPPED, against_BN=old_BN).lift
    new, old = (estimate_clicks(lists, order_BN, examination_E, UNCLIPPED).clicks for order_BN in (new_BN, old_BN))
    assert lift == pytest.approx(new / old - 1, abs=1e-5)
    nothing_BN = torch.full((60, 1), EMPTY)
    assert math.isnan(estimate_clicks(lists, new_BN, examination_E, UNCLIPPED, against_BN=nothing_BN).lift)


def test_clipping_narrows_the_weights_and_says_how_many() -> None:
    lists, examination_E, _ = position_based_log(5, 500, 6, 6)
    slate_BN = lists.shown_BN.flip(-1)
    free = estimate_clicks(lists, slate_BN, examination_E, UNCLIPPED)
    clipped = estimate_clicks(lists, slate_BN, examination_E, EstimatorConfig(least_examination=0.5, resamples=2))
    assert free.clipped == 0
    assert clipped.clipped == pytest.approx(
        (lists.click_BN[:, examination_E < 0.5].sum() / lists.click_BN.sum()).item()
    )
    assert clipped.clicks < free.clicks
    assert clipped.effective_clicks > free.effective_clicks


def test_what_is_no_longer_shown_counts_for_nothing() -> None:
    lists, examination_E, _ = position_based_log(6, 20, 5, 3)
    nothing_BN = torch.full((20, 2), EMPTY)
    assert estimate_clicks(lists, nothing_BN, examination_E, UNCLIPPED).clicks == 0


def test_one_seed_gives_one_interval() -> None:
    lists, examination_E, _ = position_based_log(7, 60, 5, 4)

    def found(seed: int) -> ClickEstimate:
        config = EstimatorConfig(resamples=50, seed=seed)
        return estimate_clicks(lists, lists.shown_BN.flip(-1), examination_E, config)

    assert found(1) == found(1)
    assert found(1).clicks_interval != found(2).clicks_interval
    assert found(1).lift_interval[0] < found(1).lift < found(1).lift_interval[1]


def test_resamples_without_a_click_give_no_interval() -> None:
    lists, examination_E, _ = position_based_log(8, 200, 4, 4)
    click_BN = torch.zeros_like(lists.click_BN)
    click_BN[0, 0] = True
    rare = dataclasses.replace(lists, click_BN=click_BN)
    intervals = [
        estimate_clicks(rare, rare.shown_BN, examination_E, EstimatorConfig(resamples=1, seed=seed)).clicks_interval
        for seed in range(12)
    ]
    assert any(math.isnan(low) for low, _ in intervals)
    assert any(low > 0 for low, _ in intervals)


def test_what_can_not_be_estimated_is_refused() -> None:
    lists, examination_E, _ = position_based_log(9, 10, 5, 4)
    with pytest.raises(LogInvalid):
        estimate_clicks(dataclasses.replace(lists, click_BN=lists.click_BN & False), lists.shown_BN, examination_E)
    with pytest.raises(ShapeMismatch):
        estimate_clicks(lists, lists.shown_BN, examination_E[:3])
    with pytest.raises(ShapeMismatch):
        estimate_clicks(lists, lists.shown_BN[:5], examination_E)
    with pytest.raises(SlateInvalid):
        estimate_clicks(lists, lists.shown_BN * 0, examination_E)
    for wrong_E in (examination_E * 2, examination_E * 0, examination_E / torch.nan):
        with pytest.raises(ValueOutOfRange):
            estimate_clicks(lists, lists.shown_BN, wrong_E)
    with pytest.raises(ValueOutOfRange):
        estimate_clicks(lists, lists.shown_BN, examination_E, EstimatorConfig(least_examination=2))
    with pytest.raises(ValueOutOfRange):
        EstimatorConfig(resamples=0)
