from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ranker.errors import ShapeMismatch, ValueOutOfRange
from ranker.influence import influence_shares, nearby_slates
from ranker.requests import EMPTY, check_slates
from ranker.rules import ForbiddenHidden, PinsKept, Rules
from tests.ranker.model.cases import logged_lists, random_requests, replaced

SEEDS = st.integers(0, 2**31 - 1)


def drawn(seed: int, batch: int = 3, slates: int = 5, utilities: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    weights_K = torch.rand(utilities, generator=generator) + 0.01
    return weights_K, torch.rand(batch, slates, utilities, generator=generator)


def slow_shares(weights_K: Tensor, utility_BSK: Tensor) -> list[float]:
    """The definition, request by request and utility by utility."""
    weights = [w / float(weights_K.sum()) for w in weights_K.tolist()]
    covariances, variance = [0.0] * len(weights), 0.0
    for utility_SK in utility_BSK.double():
        term_SK = [[w * u for w, u in zip(weights, row, strict=True)] for row in utility_SK.tolist()]
        score_S = [sum(row) for row in term_SK]
        mean = sum(score_S) / len(score_S)
        variance += sum((score - mean) ** 2 for score in score_S)
        for k in range(len(weights)):
            mean_term = sum(row[k] for row in term_SK) / len(term_SK)
            pairs = zip(term_SK, score_S, strict=True)
            covariances[k] += sum((row[k] - mean_term) * (score - mean) for row, score in pairs)
    return [covariance / variance for covariance in covariances]


@given(SEEDS)
def test_shares_are_what_the_equation_says(seed: int) -> None:
    weights_K, utility_BSK = drawn(seed)
    assert influence_shares(weights_K, utility_BSK).tolist() == pytest.approx(
        slow_shares(weights_K, utility_BSK), abs=1e-6
    )


@given(SEEDS)
def test_shares_add_up_to_1(seed: int) -> None:
    assert float(influence_shares(*drawn(seed)).sum()) == pytest.approx(1)


@given(SEEDS, st.integers(0, 3))
def test_a_utility_without_weight_has_no_share(seed: int, utility: int) -> None:
    weights_K, utility_BSK = drawn(seed)
    weights_K[utility] = 0
    assert influence_shares(weights_K, utility_BSK)[utility] == 0


@given(SEEDS, st.floats(0.001, 1_000))
def test_neither_the_scale_of_the_weights_nor_the_level_of_a_utility_matters(seed: int, scale: float) -> None:
    weights_K, utility_BSK = drawn(seed)
    expected = influence_shares(weights_K, utility_BSK)
    level_B1K = torch.rand(len(utility_BSK), 1, len(weights_K), generator=torch.Generator().manual_seed(seed))
    assert torch.allclose(influence_shares(weights_K * scale, utility_BSK), expected, atol=1e-5)
    assert torch.allclose(influence_shares(weights_K, utility_BSK + level_B1K), expected, atol=1e-4)


@given(SEEDS)
def test_the_order_of_requests_slates_and_utilities_changes_nothing(seed: int) -> None:
    weights_K, utility_BSK = drawn(seed)
    generator = torch.Generator().manual_seed(seed)
    b, s, k = (torch.randperm(n, generator=generator) for n in utility_BSK.shape)
    expected_K = influence_shares(weights_K, utility_BSK)
    assert torch.allclose(influence_shares(weights_K, utility_BSK[b][:, s]), expected_K)
    assert torch.allclose(influence_shares(weights_K[k], utility_BSK[..., k]), expected_K[k], atol=1e-6)


@given(SEEDS, st.floats(0.1, 0.9))
def test_what_differs_more_has_the_larger_share_under_equal_weights(seed: int, spread: float) -> None:
    _, utility_BSK = drawn(seed, utilities=2)
    flat_BS = utility_BSK[..., 0] * spread
    both_BS2 = torch.stack([utility_BSK[..., 0], flat_BS], dim=-1)
    wide, narrow = influence_shares(torch.ones(2), both_BS2).tolist()
    assert (wide, narrow) == pytest.approx((1 / (1 + spread), spread / (1 + spread)), abs=1e-5)


def test_nothing_has_a_share_where_the_score_is_always_the_same() -> None:
    weights_K, utility_BSK = drawn(0)
    assert influence_shares(weights_K, utility_BSK[:, :1].expand(-1, 5, -1)).tolist() == [0, 0, 0, 0]


def test_a_single_slate_has_no_variance() -> None:
    weights_K, utility_BSK = drawn(0)
    with pytest.raises(ShapeMismatch):
        influence_shares(weights_K, utility_BSK[:, :1])
    with pytest.raises(ShapeMismatch):
        influence_shares(weights_K[:2], utility_BSK)


@given(SEEDS)
def test_nearby_slates_can_be_shown(seed: int) -> None:
    shown_BN = torch.stack(
        [torch.randperm(9, generator=torch.Generator().manual_seed(seed + b))[:4] for b in range(3)]
    )
    plain = random_requests(3, 9, seed)
    pinned_BM, forbidden_BM = plain.pinned_BM.clone(), plain.forbidden_BM.clone()
    pinned_BM[0, 2], pinned_BM[1, 5] = 3, 0
    forbidden_BM[0, 6] = forbidden_BM[2, :6] = True
    requests = replaced(plain, pinned_BM=pinned_BM, forbidden_BM=forbidden_BM)
    slate_BSN = nearby_slates(requests, shown_BN, 6, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(slate_BSN[:, 0], shown_BN)
    check_slates(slate_BSN, requests)
    rules = Rules((PinsKept(), ForbiddenHidden()))
    assert [rules.breaches(slate_BSN[:, s], requests) for s in range(1, 6)] == [()] * 5
    assert (slate_BSN[2, 1:, :3] != EMPTY).all()
    assert (slate_BSN[2, 1:, 3:] == EMPTY).all()


def test_nearby_slates_keep_more_of_the_logged_list_than_chance_would() -> None:
    lists = logged_lists(40, 30, 6)
    generator = torch.Generator().manual_seed(0)
    slate_BSN = nearby_slates(lists.requests, lists.shown_BN, 40, generator=generator)[:, 1:]
    kept = (slate_BSN.unsqueeze(-1) == lists.shown_BN[:, None, None]).any(-1).double().mean()
    first_kept = (slate_BSN == lists.shown_BN[:, None, :1]).any(-1).double().mean()
    assert 6 / 30 < kept < 1
    assert first_kept > kept


def test_the_same_seed_gives_the_same_slates() -> None:
    lists = logged_lists(3, 10, 5)
    one, again, other = (
        nearby_slates(lists.requests, lists.shown_BN, 8, generator=torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_there_is_at_least_the_logged_list() -> None:
    lists = logged_lists(3, 10, 5)
    generator = torch.Generator()
    alone = nearby_slates(lists.requests, lists.shown_BN, 1, generator=generator)
    assert torch.equal(alone[:, 0], lists.shown_BN)
    with pytest.raises(ValueOutOfRange):
        nearby_slates(lists.requests, lists.shown_BN, 0, generator=generator)
