from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ranker.errors import ShapeMismatch, SlateInvalid, ValueOutOfRange
from ranker.rules import Breach, ForbiddenHidden, MaxCount, MaxRun, PinsKept, Rules
from tests.ranker.batches import random_requests, seeds


@given(seed=seeds, most=st.integers(1, 3))
@settings(max_examples=30)
def test_runs_are_broken_after_the_most_that_is_allowed(seed: int, most: int) -> None:
    requests = random_requests(seed, batch=1, fewest=7)
    slate_BN = torch.randperm(7, generator=torch.Generator().manual_seed(seed))[None]
    sellers = requests.seller_BM[0, slate_BN[0]].tolist()
    expected = [False] * 7
    start = 0
    for seller, run in itertools.groupby(sellers):
        length = len(list(run))
        expected[start + most : start + length] = [seller != 0] * max(length - most, 0)
        start += length
    assert MaxRun(of="seller", most=most).broken(slate_BN, requests)[0].tolist() == expected


@given(seed=seeds, most=st.integers(1, 2), within=st.integers(1, 7))
@settings(max_examples=30)
def test_counts_are_broken_after_the_most_that_is_allowed(seed: int, most: int, within: int) -> None:
    requests = random_requests(seed, batch=1, fewest=7)
    slate_BN = torch.randperm(7, generator=torch.Generator().manual_seed(seed))[None]
    groups = requests.group_BM[0, slate_BN[0]].tolist()
    expected = [groups[: slot + 1].count(groups[slot]) > most and slot < within for slot in range(7)]
    rule = MaxCount(of="group", most=most, within=within)
    assert rule.broken(slate_BN, requests)[0].tolist() == expected


def test_unknown_sellers_and_empty_slots_break_nothing() -> None:
    requests = random_requests(1, batch=2, fewest=7)
    requests.seller_BM[0] = 0
    requests.seller_BM[1] = 3
    slate_BN = torch.tensor([[0, 1, 2, 3], [0, 1, -1, -1]])
    rules = Rules((MaxRun(of="seller", most=2), MaxCount(of="seller", most=2)))
    assert rules.breaches(slate_BN, requests) == ()


def test_what_violates_is_named_with_its_slots() -> None:
    requests = random_requests(1, batch=2, fewest=7)
    requests.seller_BM[1] = 3
    requests.seller_BM[0] = torch.arange(1, 8)
    requests.forbidden_BM[0, 6] = True
    requests.pinned_BM[0, 2] = 1
    rules = Rules((MaxRun(of="seller", most=3), ForbiddenHidden(), PinsKept()))
    breaches = rules.breaches(torch.tensor([[6, 1, 2, 3, 4], [0, 1, 2, 3, 4]]), requests)
    assert breaches == (
        Breach(row=1, rule="max_run(seller, 3)", slots=(3, 4)),
        Breach(row=0, rule="forbidden_hidden", slots=(0,)),
        Breach(row=0, rule="pins_kept", slots=(1,)),
    )
    assert str(breaches[0]) == "request 1 breaks max_run(seller, 3) at slots 3, 4"


def test_the_baseline_is_shown_where_a_rule_is_broken_and_only_there() -> None:
    requests = random_requests(1, batch=2, fewest=7)
    requests.seller_BM[:] = torch.tensor([1, 1, 1, 2, 3, 4, 5])
    ranked_BN = torch.tensor([[0, 1, 2], [4, 5, 6]])
    baseline_BN = torch.tensor([[0, 3, 1], [0, 1, 2]])
    ruled = Rules((MaxRun(of="seller", most=2),)).enforced(ranked_BN, baseline_BN, requests)
    assert ruled.slate_BN.tolist() == [[0, 3, 1], [4, 5, 6]]
    assert ruled.from_baseline_B.tolist() == [True, False]
    assert [breach.row for breach in ruled.breaches] == [0]
    assert ruled.baseline_breaches == ()


def test_a_baseline_that_breaks_the_rules_too_is_reported() -> None:
    requests = random_requests(1, batch=1, fewest=7)
    requests.seller_BM[:] = 1
    ruled = Rules((MaxRun(of="seller", most=2),)).enforced(
        torch.tensor([[0, 1, 2]]), torch.tensor([[3, 4, 5]]), requests
    )
    assert ruled.baseline_breaches == (Breach(row=0, rule="max_run(seller, 2)", slots=(2,)),)


def test_without_rules_nothing_changes() -> None:
    requests = random_requests(1, batch=1, fewest=7)
    ruled = Rules().enforced(torch.tensor([[0, 1]]), torch.tensor([[2, 3]]), requests)
    assert ruled.slate_BN.tolist() == [[0, 1]]


def test_bad_slates_and_settings_are_refused() -> None:
    requests = random_requests(1, batch=1, fewest=7)
    with pytest.raises(SlateInvalid):
        Rules().breaches(torch.tensor([[0, 0]]), requests)
    with pytest.raises(ShapeMismatch):
        Rules().enforced(torch.tensor([[0, 1]]), torch.tensor([[0]]), requests)
    with pytest.raises(ValueOutOfRange):
        MaxRun(of="seller", most=0)
    with pytest.raises(ValueOutOfRange):
        MaxCount(of="seller", most=1, within=0)
