# B batch, N positions

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ranker.baselines import RerankerTraining, click_gains, reranked, train_reranker
from ranker.baselines.losses import attention_rank_loss, softmax_loss
from ranker.errors import LogInvalid, ShapeMismatch, TrainingFailed, ValueOutOfRange
from ranker.training.config import Schedule
from ranker.training.journal import TrainingProgress
from tests.ranker.baselines.lists import POSITIONS, first_hits, liking_lists, logged, neighbours_lists, whole_lists
from tests.ranker.baselines.test_rerankers import every_reranker, made
from tests.ranker.batches import random_requests

TRAINING = RerankerTraining(schedule=Schedule(steps=150, batch=48, learning_rate=5e-3, report_every=25))


@every_reranker
def test_every_reranker_learns_what_is_liked(name: str) -> None:
    lists, later = liking_lists(1), liking_lists(2, count=200)
    model, report = train_reranker(made(name), lists, click_gains(lists), TRAINING)
    assert report.loss < 0.6 * report.first_loss
    assert first_hits(later, later.shown_BN) < 0.4
    assert first_hits(later, reranked(model, later.requests, later.shown_BN)) > 0.8


@pytest.mark.parametrize("name", ["PRM", "DLCM", "SetRank"])
def test_every_reranker_learns_what_depends_on_the_neighbours(name: str) -> None:
    lists, later = neighbours_lists(3), neighbours_lists(4, count=300)
    model, _ = train_reranker(made(name), lists, click_gains(lists), TRAINING)
    assert best_of_one_item(later) < 0.5
    assert first_hits(later, reranked(model, later.requests, later.shown_BN)) > 0.7


def best_of_one_item(lists) -> float:
    """First hits of the better of the two orders by the feature that counts."""
    return max(
        first_hits(
            lists,
            reranked(lambda part, _, s=sign: s * part.item_BMF[..., 0], lists.requests, lists.shown_BN),
        )
        for sign in (1, -1)
    )


def confounded(seed: int, count: int = 1_500):
    """Every item is liked alike, and clicks only fall with the position."""
    requests = random_requests(seed, count, POSITIONS, fewest=POSITIONS)
    generator = torch.Generator().manual_seed(seed)
    # What stands high has a high first feature, which nobody cares for.
    shown_BN = requests.item_BMF[..., 0].argsort(-1, descending=True)
    click_BN = torch.rand(count, POSITIONS, generator=generator) < 0.5 * EXAMINATION
    return logged(requests, shown_BN, click_BN)


EXAMINATION = 0.6 ** torch.arange(POSITIONS)


def mean_place(slate_BN: Tensor, lists) -> float:
    """Where the item with the highest first feature stands, mean over the lists."""
    return (slate_BN == lists.shown_BN[:, :1]).int().argmax(-1).float().mean().item()


@pytest.mark.parametrize("name", ["PRM", "SetRank"])
def test_clicks_weighed_by_their_propensity_teach_less_of_the_logged_order(name: str) -> None:
    lists, later = confounded(5), confounded(6, count=200)
    places = []
    for examination in (None, EXAMINATION):
        model, _ = train_reranker(made(name), lists, click_gains(lists, examination), TRAINING)
        places.append(mean_place(reranked(model, later.requests, later.shown_BN), later))
    assert places[0] < 0.3
    assert places[1] > places[0] + 1


def test_one_seed_gives_one_model_and_the_best_state_is_kept() -> None:
    lists = liking_lists(7, count=60)
    wild = RerankerTraining(schedule=Schedule(steps=40, batch=8, learning_rate=0.1, report_every=1), hold_back=0.5)
    seen: list[TrainingProgress] = []
    first, report = train_reranker(made("PRM"), lists, click_gains(lists), wild, seen.append)
    again, same = train_reranker(made("PRM"), lists, click_gains(lists), wild)
    assert report == same
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not first.training
    held = [progress.figures["held_loss"] for progress in seen]
    assert report.loss == min(held)
    assert held.index(min(held)) + 1 == report.best_step < 40
    later = lists.select(slice(30, None))
    with torch.no_grad():
        score_BN = first(later.requests, later.shown_BN)
    assert softmax_loss(score_BN, click_gains(later), later.filled_BN).item() == pytest.approx(report.loss, abs=1e-5)


def test_a_run_leaves_the_randomness_of_others_alone() -> None:
    lists = liking_lists(8, count=40)
    short = RerankerTraining(schedule=Schedule(steps=2, batch=8))
    torch.manual_seed(9)
    expected = torch.rand(3)
    torch.manual_seed(9)
    model = made("SetRank")
    train_reranker(model, lists, click_gains(lists), short)
    assert torch.equal(torch.rand(3), expected)


def test_what_can_not_teach_is_refused() -> None:
    lists = liking_lists(10, count=40)
    with pytest.raises(LogInvalid):
        train_reranker(made("PRM"), lists, torch.zeros(lists.shown_BN.shape), TRAINING)
    with pytest.raises(LogInvalid):
        train_reranker(made("PRM"), lists.select([0]), click_gains(lists)[:1], TRAINING)
    broken_BN = torch.where(lists.click_BN, torch.inf, 0.0)
    with pytest.raises(TrainingFailed):
        train_reranker(made("PRM"), lists, broken_BN, TRAINING)


def test_gains_are_inverse_propensities_with_a_mean_of_one() -> None:
    requests = random_requests(11, 2, 3, fewest=3)
    click_BN = torch.tensor([[True, False, False], [False, True, True]])
    lists = logged(requests, whole_lists(requests), click_BN)
    assert torch.equal(click_gains(lists), click_BN.float())
    gain_BN = click_gains(lists, torch.tensor([1.0, 0.5, 0.01]), least_examination=0.2)
    assert gain_BN[~click_BN].sum() == 0
    assert gain_BN[click_BN].tolist() == pytest.approx([3 / 8, 6 / 8, 15 / 8])
    with pytest.raises(ShapeMismatch):
        click_gains(lists, torch.tensor([1.0, 0.5]))
    with pytest.raises(ValueOutOfRange):
        click_gains(lists, torch.tensor([1.0, 0.5, 0.0]))


@pytest.mark.parametrize("seed", range(5))
def test_losses_are_those_of_the_papers(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    score_BN = torch.randn(4, 5, generator=generator)
    gain_BN = torch.rand(4, 5, generator=generator) * (torch.rand(4, 5, generator=generator) < 0.5)
    filled_BN = torch.arange(5) < torch.tensor([5, 3, 2, 1])[:, None]
    gain_BN, score_BN = gain_BN * filled_BN, score_BN.masked_fill(~filled_BN, -1e9)
    softmax, attention = plain_losses(score_BN.tolist(), gain_BN.tolist(), filled_BN.tolist())
    assert softmax_loss(score_BN, gain_BN, filled_BN).item() == pytest.approx(softmax, abs=1e-5)
    assert attention_rank_loss(score_BN, gain_BN, filled_BN).item() == pytest.approx(attention, abs=1e-4)


def plain_losses(score, gain, filled) -> tuple[float, float]:
    """List by list and item by item."""
    softmax = attention = 0.0
    for s, g, f in zip(score, gain, filled, strict=True):
        places = [place for place in range(len(s)) if f[place]]
        whole, total = sum(math.exp(s[place]) for place in places), sum(g)
        for place in places:
            p = math.exp(s[place]) / whole
            softmax -= g[place] * math.log(p)
            if total:
                a = g[place] / total
                attention -= total * (a * math.log(p) + (1 - a) * math.log(max(1 - p, 1e-6)))
    return softmax / len(score), attention / len(score)


def test_a_list_without_a_click_teaches_nothing() -> None:
    score_BN, filled_BN = torch.randn(1, 4, requires_grad=True), torch.ones(1, 4, dtype=torch.bool)
    for loss in (softmax_loss, attention_rank_loss):
        value = loss(score_BN, torch.zeros(1, 4), filled_BN)
        assert value.item() == 0
        assert torch.autograd.grad(value, score_BN)[0].abs().max() == 0
