# B batch, M candidates, N positions

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ranker.baselines import DLCM, PRM, DLCMConfig, PRMConfig, Reranker, SetRank, SetRankConfig, reranked
from ranker.baselines.attention import AttentionBlock
from ranker.baselines.reranker import NOTHING_THERE
from ranker.errors import ModelInvalid, ShapeMismatch, ValueOutOfRange
from ranker.requests import EMPTY, check_slates
from tests.ranker.baselines.lists import POSITIONS, SHAPE, whole_lists
from tests.ranker.batches import random_requests, seeds

MAKERS: dict[str, Callable[[], Reranker]] = {
    "PRM": lambda: PRM(SHAPE, PRMConfig(positions=12)),
    "DLCM": lambda: DLCM(SHAPE, DLCMConfig(positions=12)),
    "SetRank": lambda: SetRank(SHAPE, SetRankConfig(positions=12)),
    "SetRank, ordinal": lambda: SetRank(SHAPE, SetRankConfig(ordinal=True, positions=12)),
}
every_reranker = pytest.mark.parametrize("name", MAKERS)


def made(name: str, seed: int = 0) -> Reranker:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        return MAKERS[name]().eval()


def full(seed: int, batch: int = 3) -> tuple:
    """Requests of which every list is full, and the lists."""
    requests = random_requests(seed, batch, POSITIONS, fewest=POSITIONS)
    return requests, whole_lists(requests)


def turned(seed: int, batch: int = 3) -> Tensor:
    """A permutation of the positions of every list."""
    return torch.rand(batch, POSITIONS, generator=torch.Generator().manual_seed(seed)).argsort(-1)


@every_reranker
def test_every_position_has_a_score_and_empty_ones_the_lowest(name: str) -> None:
    requests = random_requests(1, 5, POSITIONS)
    initial_BN = whole_lists(requests)
    with torch.no_grad():
        score_BN = made(name)(requests, initial_BN)
    assert score_BN.shape == initial_BN.shape
    assert torch.equal(score_BN == NOTHING_THERE, initial_BN == EMPTY)
    assert torch.isfinite(score_BN).all()
    assert len(score_BN[initial_BN != EMPTY].unique()) > POSITIONS


@every_reranker
@given(seed=seeds)
@settings(max_examples=15)
def test_a_reranked_list_has_the_items_of_the_initial_one(name: str, seed: int) -> None:
    requests = random_requests(seed, 4, POSITIONS)
    initial_BN = whole_lists(requests)
    slate_BN = reranked(made(name), requests, initial_BN)
    check_slates(slate_BN.unsqueeze(1), requests)
    assert torch.equal(slate_BN.sort(-1).values, initial_BN.sort(-1).values)


@every_reranker
@given(seed=seeds, more=st.integers(1, 4))
@settings(max_examples=15)
@torch.no_grad()
def test_padding_changes_no_score(name: str, seed: int, more: int) -> None:
    model, requests = made(name), random_requests(seed, 4, POSITIONS)
    initial_BN = whole_lists(requests)
    padded = requests.padded_to(POSITIONS + more)
    longer_BN = torch.nn.functional.pad(initial_BN, (0, more), value=EMPTY)
    score_BN = model(requests, initial_BN)
    assert torch.allclose(model(padded, longer_BN)[:, :POSITIONS], score_BN, atol=1e-5)
    alone = [model(requests.select([row]), initial_BN[[row]]) for row in range(4)]
    assert torch.allclose(torch.cat(alone), score_BN, atol=1e-5)


@every_reranker
@given(seed=seeds, order=seeds)
@settings(max_examples=15)
@torch.no_grad()
def test_the_order_of_the_candidates_changes_nothing_where_the_list_is_the_same(
    name: str, seed: int, order: int
) -> None:
    model, (requests, initial_BN) = made(name), full(seed)
    order_BM = turned(order)
    moved_BN = order_BM.argsort(-1).gather(1, initial_BN)
    assert torch.allclose(model(requests.permuted(order_BM), moved_BN), model(requests, initial_BN), atol=1e-5)


@given(seed=seeds, order=seeds)
@settings(max_examples=25)
@torch.no_grad()
def test_a_permuted_list_permutes_the_scores_of_setrank(seed: int, order: int) -> None:
    model, (requests, initial_BN) = made("SetRank"), full(seed)
    order_BN = turned(order)
    expected_BN = model(requests, initial_BN).gather(1, order_BN)
    assert torch.allclose(model(requests, initial_BN.gather(1, order_BN)), expected_BN, atol=1e-5)


@pytest.mark.parametrize("name", ["PRM", "DLCM", "SetRank, ordinal"])
@torch.no_grad()
def test_the_others_know_the_initial_order(name: str) -> None:
    model, (requests, initial_BN) = made(name), full(3)
    order_BN = torch.arange(POSITIONS).flip(0).expand(3, -1)
    expected_BN = model(requests, initial_BN).gather(1, order_BN)
    assert not torch.allclose(model(requests, initial_BN.gather(1, order_BN)), expected_BN, atol=1e-3)


@torch.no_grad()
def test_dlcm_sees_the_last_item_through_the_items_above_it() -> None:
    model, (requests, initial_BN) = made("DLCM"), full(4, batch=1)
    assert isinstance(model, DLCM)
    score_BN = model(requests, initial_BN)
    item_BND = model.read(requests)
    upwards, state_BG = [], torch.zeros(1, 1, model.recur.hidden_size)
    for place in reversed(range(POSITIONS)):
        wide_BD = torch.cat([item_BND[:, place], model.abstract(item_BND[:, place])], dim=-1)
        output_B1G, state_BG = model.recur(wide_BD[:, None], state_BG)
        upwards.append(output_B1G[0, 0])
    weight_GGK = torch.tanh(model.meet(upwards[-1])).reshape(model.recur.hidden_size, -1)
    expected = [float(model.out_K @ (output_G @ weight_GGK)) for output_G in reversed(upwards)]
    assert score_BN[0].tolist() == pytest.approx(expected, abs=1e-5)


@torch.no_grad()
def test_attention_is_that_of_vaswani() -> None:
    torch.manual_seed(5)
    block = AttentionBlock(8, 2, 0.0).eval()
    x_BXD, y_BYD = torch.randn(1, 3, 8), torch.randn(1, 5, 8)
    there_BY = torch.tensor([[True, True, False, True, False]])
    key_YD, value_YD = block.key_value(y_BYD[0, there_BY[0]]).chunk(2, dim=-1)
    query_XD = block.query(x_BXD[0])
    heads = []
    for part in (slice(0, 4), slice(4, 8)):
        weight_XY = (query_XD[:, part] @ key_YD[:, part].T / 2).softmax(-1)
        heads.append(weight_XY @ value_YD[:, part])
    between_XD = block.norm_met(x_BXD[0] + block.out(torch.cat(heads, dim=-1)))
    expected_XD = block.norm_fed(between_XD + block.feed(between_XD))
    assert torch.allclose(block(x_BXD, y_BYD, there_BY)[0], expected_XD, atol=1e-5)


def test_equal_scores_keep_the_initial_order() -> None:
    requests = random_requests(6, 3, POSITIONS)
    initial_BN = whole_lists(requests)
    assert torch.equal(reranked(lambda _, list_BN: torch.zeros(list_BN.shape), requests, initial_BN), initial_BN)


def test_long_logs_are_scored_in_parts() -> None:
    requests = random_requests(7, 1_100, 3)
    seen: list[int] = []

    def backwards(part, list_BN: Tensor) -> Tensor:
        seen.append(part.B)
        return list_BN.float()

    slate_BN = reranked(backwards, requests, whole_lists(requests))
    assert sum(seen) == 1_100
    assert len(seen) == 3
    assert torch.equal(slate_BN, whole_lists(requests).sort(-1, descending=True).values)


@every_reranker
def test_what_does_not_fit_is_refused(name: str) -> None:
    model, (requests, initial_BN) = made(name), full(8)
    with pytest.raises(ValueOutOfRange):
        model(requests, initial_BN.repeat(1, 3))
    with pytest.raises(ShapeMismatch):
        model(requests, initial_BN[:2])
    with pytest.raises(ModelInvalid):
        PRM(SHAPE, PRMConfig(heads=5))
