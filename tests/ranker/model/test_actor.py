from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ranker.actor import Actor
from ranker.errors import ShapeMismatch, ValueOutOfRange, WeightsInvalid
from ranker.requests import EMPTY, Requests, check_slates
from tests.ranker.model.cases import SHAPE, SMALL, random_requests, random_weights, replaced

CHOICES = settings(max_examples=12, deadline=None)
SEEDS = st.integers(0, 10_000)


@pytest.fixture(scope="module")
def actor() -> Actor:
    torch.manual_seed(3)
    return Actor(SHAPE, SMALL)


def sampled(actor: Actor, requests: Requests, size: int, samples: int = 4, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    weights_BK = random_weights(requests.B, seed)
    with torch.no_grad():
        return actor.sample(requests, weights_BK, size, generator=generator, samples=samples).slate_BSN


def every_slate(candidates: int, size: int) -> Tensor:
    return torch.tensor(list(itertools.permutations(range(candidates), size)))


@pytest.mark.parametrize(("candidates", "size"), [(1, 1), (4, 2), (5, 3), (4, 4)])
def test_probabilities_of_all_slates_sum_to_one(actor: Actor, candidates: int, size: int) -> None:
    requests = random_requests(3, candidates)
    all_BSN = every_slate(candidates, size).expand(3, -1, -1)
    log_prob_BS = actor.log_prob(requests, random_weights(3), all_BSN).log_prob_BSN.sum(-1)
    torch.testing.assert_close(log_prob_BS.exp().sum(-1), torch.ones(3), atol=1e-5, rtol=0)


def test_a_pin_and_a_ban_leave_all_probability_on_the_slates_that_keep_them(actor: Actor) -> None:
    pinned_BM, forbidden_BM = torch.full((1, 5), -1), torch.zeros(1, 5, dtype=torch.bool)
    pinned_BM[0, 2], forbidden_BM[0, 4] = 1, True
    requests = replaced(random_requests(1, 5), pinned_BM=pinned_BM, forbidden_BM=forbidden_BM)
    all_SN = every_slate(5, 3)
    kept_S = (all_SN[:, 1] == 2) & (all_SN != 4).all(-1)
    log_prob_S = actor.log_prob(requests, random_weights(1), all_SN[None]).log_prob_BSN.sum(-1)[0]
    assert log_prob_S[kept_S].exp().sum().item() == pytest.approx(1, abs=1e-5)
    assert log_prob_S[~kept_S].exp().sum().item() == 0


def test_sampled_log_probabilities_are_those_of_the_slates(actor: Actor) -> None:
    requests, weights_BK = random_requests(3, 8), random_weights(3)
    drawn = actor.sample(requests, weights_BK, 4, generator=torch.Generator().manual_seed(1), samples=5)
    again = actor.log_prob(requests, weights_BK, drawn.slate_BSN)
    torch.testing.assert_close(again.log_prob_BSN, drawn.log_prob_BSN)
    torch.testing.assert_close(again.entropy_BSN, drawn.entropy_BSN)


def test_slates_are_drawn_as_often_as_they_are_likely(actor: Actor) -> None:
    requests, weights_BK = random_requests(1, 3), random_weights(1)
    drawn_SN = actor.sample(
        requests, weights_BK, 2, generator=torch.Generator().manual_seed(1), samples=20_000
    ).slate_BSN[0]
    all_SN = every_slate(3, 2)
    share_S = (drawn_SN[:, None] == all_SN).all(-1).float().mean(0)
    likely_S = actor.log_prob(requests, weights_BK, all_SN[None]).log_prob_BSN.sum(-1).exp()[0]
    torch.testing.assert_close(share_S, likely_S, atol=0.015, rtol=0)


def test_greedy_takes_the_likeliest_candidate_at_every_slot(actor: Actor) -> None:
    requests, weights_BK = random_requests(4, 6), random_weights(4)
    slate_BN = actor.greedy(requests, weights_BK, 4)
    for row, slot in itertools.product(range(4), range(4)):
        before = slate_BN[row, :slot].tolist()
        left = [item for item in range(6) if item not in before]
        tries_SN = torch.tensor([[*before, item] + [0] * (3 - slot) for item in left])
        one = requests.select([row])
        log_prob_S = actor.log_prob(one, weights_BK[[row]], tries_SN[None]).log_prob_BSN[0, :, slot]
        assert left[int(log_prob_S.argmax())] == slate_BN[row, slot]


@CHOICES
@given(seed=SEEDS, candidates=st.integers(1, 9), size=st.integers(1, 7))
def test_masks_always_hold(actor: Actor, seed: int, candidates: int, size: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    requests = random_requests(4, candidates, seed)
    valid_BM = torch.rand(4, candidates, generator=generator) < 0.8
    forbidden_BM = torch.rand(4, candidates, generator=generator) < 0.2
    pinned_BM = torch.stack([torch.randperm(9, generator=generator)[:candidates] for _ in range(4)])
    pinned_BM = torch.where(
        (pinned_BM < size) & (torch.rand(4, candidates, generator=generator) < 0.4), pinned_BM, -1
    )
    requests = replaced(requests, valid_BM=valid_BM, forbidden_BM=forbidden_BM, pinned_BM=pinned_BM)
    slate_BSN = torch.cat(
        [sampled(actor, requests, size), actor.greedy(requests, random_weights(4), size)[:, None]], 1
    )
    check_slates(slate_BSN, requests)
    for row, slate in itertools.product(range(4), range(5)):
        _check_row(requests, row, slate_BSN[row, slate].tolist())


def _check_row(requests: Requests, row: int, slate: list[int]) -> None:
    shown = [item for item in slate if item != EMPTY]
    allowed = (requests.valid_BM & ~requests.forbidden_BM)[row]
    assert allowed[shown].all()
    assert len(shown) == min(len(slate), int(allowed.sum()))
    for item, slot in enumerate(requests.pinned_BM[row].tolist()):
        if slot != -1 and allowed[item] and slot < len(shown):
            assert shown[slot] == item


@CHOICES
@given(seed=SEEDS)
def test_a_permutation_of_the_candidates_permutes_nothing_in_the_result(actor: Actor, seed: int) -> None:
    requests, weights_BK = random_requests(3, 9, seed), random_weights(3, seed)
    order_BM = torch.stack([torch.randperm(9, generator=torch.Generator().manual_seed(seed + i)) for i in range(3)])
    slate_BN = actor.greedy(requests, weights_BK, 5)
    moved_BN = actor.greedy(requests.permuted(order_BM), weights_BK, 5)
    assert torch.equal(order_BM.gather(1, moved_BN), slate_BN)


@CHOICES
@given(seed=SEEDS, extra=st.integers(1, 6), filling=st.sampled_from([0.0, 7.0, -3.0]))
def test_padding_changes_nothing_whatever_stands_there(actor: Actor, seed: int, extra: int, filling: float) -> None:
    requests, weights_BK = random_requests(2, 7, seed), random_weights(2, seed)
    padded = requests.padded_to(7 + extra)
    features_BMF = torch.where(padded.valid_BM[..., None], padded.item_BMF, filling)
    price_BM = torch.where(padded.valid_BM, padded.price_BM, abs(filling) * 100)
    padded = replaced(padded, item_BMF=features_BMF, price_BM=price_BM)
    slate_BN = actor.greedy(requests, weights_BK, 5)
    assert torch.equal(actor.greedy(padded, weights_BK, 5), slate_BN)
    one, other = (actor.log_prob(r, weights_BK, slate_BN[:, None]).log_prob_BSN for r in (requests, padded))
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_requests_of_unlike_length_are_ranked_as_they_are_alone(actor: Actor) -> None:
    requests, weights_BK = random_requests(3, 8), random_weights(3)
    valid_BM = torch.arange(8) < torch.tensor([[8], [5], [2]])
    together = actor.greedy(replaced(requests, valid_BM=valid_BM), weights_BK, 4)
    for row, count in enumerate([8, 5, 2]):
        order_BM = torch.arange(8)[None]
        alone = Requests(
            **{
                name: value if name == "user_BF" else value[:, :count]
                for name, value in requests.select([row]).permuted(order_BM).tensors().items()
            }
        )
        assert torch.equal(actor.greedy(alone, weights_BK[[row]], 4)[0], together[row])


@CHOICES
@given(seed=SEEDS, scale=st.floats(1e-3, 1e4))
def test_scaled_weights_give_the_same_slate(actor: Actor, seed: int, scale: float) -> None:
    requests, weights_BK = random_requests(2, 8, seed), random_weights(2, seed)
    assert torch.equal(actor.greedy(requests, weights_BK * scale, 4), actor.greedy(requests, weights_BK, 4))


def test_weights_change_the_slate(actor: Actor) -> None:
    requests = random_requests(1, 12)
    corners_BK = torch.eye(SHAPE.utilities)
    slates = {tuple(actor.greedy(requests, corner[None], 5)[0].tolist()) for corner in corners_BK}
    assert len(slates) > 3


def test_parameters_made_once_serve_every_request_at_those_weights(actor: Actor) -> None:
    weights_BK = random_weights(1)
    with torch.no_grad():
        sensitive = actor.condition(weights_BK)
        for seed in range(3):
            requests = random_requests(1, 8, seed)
            assert torch.equal(actor.write(requests, sensitive, 4), actor.greedy(requests, weights_BK, 4))


def test_a_seed_fixes_the_sample(actor: Actor) -> None:
    requests = random_requests(2, 8)
    assert torch.equal(sampled(actor, requests, 4, seed=5), sampled(actor, requests, 4, seed=5))
    assert not torch.equal(sampled(actor, requests, 4, seed=5), sampled(actor, requests, 4, seed=6))


def test_gradients_reach_every_parameter_and_are_finite_beside_masks(actor: Actor) -> None:
    requests = replaced(random_requests(2, 6), valid_BM=torch.arange(6) < torch.tensor([[6], [2]]))
    drawn = actor.sample(requests, random_weights(2), 4, generator=torch.Generator().manual_seed(0), samples=3)
    torch.autograd.backward(drawn.log_prob_BSN.sum() + drawn.entropy_BSN.sum())
    gradients = {name: parameter.grad for name, parameter in actor.named_parameters()}
    actor.zero_grad(set_to_none=True)
    assert all(g is not None and bool(torch.isfinite(g).all()) for g in gradients.values())


@pytest.mark.parametrize(
    "weights", [[0.0] * 7, [1.0] * 6 + [-0.1], [1.0] * 6 + [float("nan")], [1.0] * 6 + [float("inf")], [1.0] * 6]
)
def test_weights_that_are_none_are_refused(actor: Actor, weights: list[float]) -> None:
    with pytest.raises(WeightsInvalid):
        actor.greedy(random_requests(1, 5), torch.tensor([weights]), 3)


def test_requests_that_it_was_not_made_for_are_refused(actor: Actor) -> None:
    requests = random_requests(1, 5)
    with pytest.raises(ShapeMismatch):
        actor.greedy(replaced(requests, item_BMF=requests.item_BMF[..., :-1]), random_weights(1), 3)
    with pytest.raises(ValueOutOfRange):
        actor.greedy(random_requests(1, 201), random_weights(1), 3)
    with pytest.raises(ValueOutOfRange):
        actor.greedy(requests, random_weights(1), 51)
