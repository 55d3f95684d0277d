from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from ranker.actor import Actor
from ranker.masks import REFUSED
from ranker.requests import EMPTY, check_slates
from ranker.training.exchange import Trial, exchange_loss, exchanged, tried_slates
from tests.ranker.batches import seeds
from tests.ranker.model.cases import SHAPE, SMALL, random_requests, random_weights, replaced


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def actor() -> Actor:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        return Actor(SHAPE, SMALL)


def put(slate: list[int], slot: int, item: int) -> list[int]:
    """The slate with an item in a slot, in plain steps."""
    changed = list(slate)
    if item in slate:
        changed[slate.index(item)] = slate[slot]
    changed[slot] = item
    return changed


@given(seed=seeds)
@settings(max_examples=30)
def test_an_item_takes_the_slot_and_what_stood_there_takes_its_place(seed: int) -> None:
    slate_N = torch.randperm(7, generator=generator(seed))[:4]
    item_NK = torch.randint(7, (4, 3), generator=generator(seed + 1))
    expected = [put(slate_N.tolist(), slot, item) for slot in range(4) for item in item_NK[slot].tolist()]
    assert exchanged(slate_N[None], item_NK[None])[0].tolist() == expected


def test_what_is_tried_are_different_items_and_the_first_is_shown() -> None:
    trial = Trial(count=4, generator=generator())
    drawn = actor().chosen(random_requests(5, 9), random_weights(5), 3, trial.choose)
    assert torch.equal(trial.item_BNK[..., 0], drawn.slate_BSN[:, 0])
    assert trial.item_BNK.sort(dim=-1).values.diff(dim=-1).min() > 0
    torch.testing.assert_close(trial.log_prob_BNK[..., 0], drawn.log_prob_BSN[:, 0])


def test_the_first_of_a_draw_is_a_sample_of_the_probabilities() -> None:
    log_prob_BM = torch.tensor([0.6, 0.3, 0.1]).log().expand(20_000, -1)
    first_B = Trial(count=2, generator=generator()).choose(0, log_prob_BM)
    torch.testing.assert_close(
        first_B.bincount(minlength=3) / 20_000, torch.tensor([0.6, 0.3, 0.1]), atol=0.02, rtol=0
    )


def test_what_is_tried_keeps_pins_and_bans_wherever_it_counts() -> None:
    pinned_BM, forbidden_BM = torch.full((6, 8), -1), torch.zeros(6, 8, dtype=torch.bool)
    pinned_BM[:, 5], forbidden_BM[:, 2] = 1, True
    requests = replaced(random_requests(6, 8), pinned_BM=pinned_BM, forbidden_BM=forbidden_BM)
    trial = Trial(count=8, generator=generator())
    drawn = actor().chosen(requests, random_weights(6), 4, trial.choose)
    slate_BVN = tried_slates(requests, drawn.slate_BSN[:, 0], trial.item_BNK)
    open_BV = (trial.log_prob_BNK > REFUSED / 2).flatten(1)
    slate_VN = torch.where(open_BV.unsqueeze(-1), slate_BVN, drawn.slate_BSN)
    check_slates(slate_VN, requests)
    assert (slate_VN[..., 1] == 5).all()
    assert not (slate_VN == 2).any()


def test_slots_that_stay_empty_are_left_alone() -> None:
    forbidden_BM = torch.zeros(2, 6, dtype=torch.bool)
    forbidden_BM[:, 2:] = True
    requests = replaced(random_requests(2, 6), forbidden_BM=forbidden_BM)
    trial = Trial(count=3, generator=generator())
    drawn = actor().chosen(requests, random_weights(2), 4, trial.choose)
    slate_BVN = tried_slates(requests, drawn.slate_BSN[:, 0], trial.item_BNK)
    assert (slate_BVN[..., 2:] == EMPTY).all()


def gradient(loss: Tensor, logit: Tensor) -> Tensor:
    return torch.autograd.grad(loss, logit, retain_graph=True)[0]


def test_the_gradient_is_that_of_the_expected_reward_where_choices_are_apart() -> None:
    logit_NM = torch.randn(2, 3, generator=generator(), requires_grad=True)
    reward_NM = torch.rand(2, 3, generator=generator(1))
    log_prob_NM = logit_NM.log_softmax(-1)
    expected = sum(
        log_prob_NM[0, a].exp() * log_prob_NM[1, b].exp() * (reward_NM[0, a] + reward_NM[1, b])
        for a, b in itertools.product(range(3), range(3))
    )
    assert isinstance(expected, Tensor)
    own_NM = gradient(exchange_loss(log_prob_NM[None], reward_NM[None]), logit_NM)
    true_NM = gradient(expected, logit_NM)
    assert torch.cosine_similarity(-own_NM.flatten(), true_NM.flatten(), dim=0) == pytest.approx(1, abs=1e-5)


def test_the_unit_of_the_reward_does_not_matter() -> None:
    logit_BNK = torch.randn(2, 3, 4, generator=generator(), requires_grad=True)
    reward_BNK = torch.rand(2, 3, 4, generator=generator(1))
    full, small = (
        gradient(exchange_loss(logit_BNK.log_softmax(-1), r), logit_BNK)
        for r in (reward_BNK, 0.01 * reward_BNK + 0.3)
    )
    torch.testing.assert_close(full, small, atol=1e-4, rtol=1e-3)


def test_rewards_that_are_alike_teach_nothing() -> None:
    logit_BNK = torch.randn(2, 3, 4, generator=generator(), requires_grad=True)
    loss = exchange_loss(logit_BNK.log_softmax(-1), torch.full((2, 3, 4), 0.7))
    assert gradient(loss, logit_BNK).abs().max() < 1e-6


def test_a_candidate_that_the_slot_is_closed_to_has_no_part() -> None:
    logit_BNK = torch.tensor([[[0.3, -0.2, REFUSED]]], requires_grad=True)
    losses = [
        exchange_loss(logit_BNK.log_softmax(-1), torch.tensor([[[0.2, 0.6, other]]])).item() for other in (0.0, 1.0)
    ]
    assert losses[0] == losses[1]
    assert losses[0] != 0
