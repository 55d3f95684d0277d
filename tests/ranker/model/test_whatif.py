from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ranker.actor import Actor
from ranker.config import EvaluatorConfig, InputConfig
from ranker.errors import CandidatesMissing, ShapeMismatch, WeightsInvalid
from ranker.evaluator import Evaluator
from ranker.explanation import Explanation, explain
from ranker.influence import influence_shares
from ranker.objective import Objective
from ranker.requests import EMPTY, LoggedLists, Requests
from ranker.utilities import UTILITY_NAMES, default_utilities
from ranker.whatif import AT_ONCE, Comparison, Sample, WhatIfConfig, compare, slates
from tests.ranker.model.cases import SHAPE, SMALL, logged_lists, random_weights, replaced

CONFIG = WhatIfConfig(requests=30, nearby=6, resamples=300, examples=3)
EVEN_K = torch.ones(7)


def weighing(name: str, weight: float) -> Tensor:
    """Almost even weights, and one of another size."""
    weights_K = torch.ones(7)
    weights_K[UTILITY_NAMES.index(name)] = weight
    return weights_K


@pytest.fixture(scope="module")
def objective() -> Objective:
    torch.manual_seed(0)
    config = EvaluatorConfig(input=InputConfig(hidden=8), channel=8, heads=2, slate=8)
    return Objective(utilities=default_utilities(), evaluator=Evaluator(SHAPE, config).frozen())


@pytest.fixture(scope="module")
def actor() -> Actor:
    torch.manual_seed(1)
    return Actor(SHAPE, SMALL).eval()


def newest_first(requests: Requests, weights_BK: Tensor, size: int) -> Tensor:
    """A ranker that obeys one weight: the larger that of cold_start, the more of what is new comes first."""
    wants_new_B1 = weights_BK[:, UTILITY_NAMES.index("cold_start")].unsqueeze(1) > 0.5
    key_BM = torch.where(wants_new_B1, -requests.age_days_BM, requests.age_days_BM)
    return key_BM.masked_fill(~requests.allowed_BM, -torch.inf).topk(size).indices


def compared(
    objective: Objective, rank=newest_first, other_K: Tensor = EVEN_K, lists: LoggedLists | None = None
) -> Comparison:
    sample = Sample.of(lists or logged_lists(50, 12, 6), objective, CONFIG)
    return compare(sample, objective, rank, torch.stack([EVEN_K, other_K]), CONFIG)


def test_the_same_weights_change_nothing(objective: Objective, actor: Actor) -> None:
    same = compared(objective, actor.greedy, EVEN_K * 3)
    assert (same.changed_share, same.replaced_share) == (0, 0)
    assert [(c.change.low, c.change.mean, c.change.high) for c in same.changes] == [(0, 0, 0)] * 7
    assert all(c.influence_before == pytest.approx(c.influence_after) for c in same.changes)
    assert all(example.before == example.after for example in same.examples)


def test_a_utility_that_the_ranker_obeys_rises_with_its_interval_above_0(objective: Objective) -> None:
    asked = compared(objective, other_K=weighing("cold_start", 30))
    (changed,) = [c for c in asked.changes if c.name == "cold_start"]
    assert changed.change.low > 0
    assert changed.after - changed.before == pytest.approx(changed.change.mean, abs=1e-6)
    assert changed.influence_after > changed.influence_before
    assert asked.reward.mean > 0
    assert asked.changed_share == 1


def test_differences_are_those_of_the_slates_request_by_request(objective: Objective, actor: Actor) -> None:
    other_K = weighing("gmv", 20)
    got = compared(objective, actor.greedy, other_K)
    sample = Sample.of(logged_lists(50, 12, 6), objective, CONFIG)
    differences = []
    for b in range(sample.lists.B):
        one = sample.lists.requests.select([b])
        before, after = (actor.greedy(one, w.unsqueeze(0), 6) for w in (EVEN_K, other_K))
        values = objective.values(one, torch.stack([before, after], dim=1))[0]
        differences.append(values[1] - values[0])
    mean_K = torch.stack(differences).mean(0)
    assert [c.change.mean for c in got.changes] == pytest.approx(mean_K.tolist(), abs=1e-5)
    gain = float((mean_K @ other_K) / other_K.sum())
    assert got.reward.mean == pytest.approx(gain, abs=1e-5)
    expected = influence_shares(other_K, sample.nearby_BSK).tolist()
    assert [c.influence_after for c in got.changes] == pytest.approx(expected)


def test_examples_go_from_little_movement_to_the_most(objective: Objective, actor: Actor) -> None:
    got = compared(objective, actor.greedy, weighing("click", 50))
    kept = [len(set(e.before) & set(e.after)) for e in got.examples]
    assert len(got.examples) == 3
    assert kept == sorted(kept, reverse=True)
    assert len({e.row for e in got.examples}) == 3


def test_a_sample_is_drawn_by_the_seed_from_requests_that_fill_a_slate(objective: Objective) -> None:
    lists = logged_lists(50, 12, 6)
    forbidden_BM = lists.requests.forbidden_BM.clone()
    forbidden_BM[::2, :8] = True
    shown_BN = torch.where(torch.arange(50)[:, None] % 2 == 0, EMPTY, lists.shown_BN)
    some = LoggedLists(
        requests=replaced(lists.requests, forbidden_BM=forbidden_BM), **{**lists.tensors(), "shown_BN": shown_BN}
    )
    sample, again = (Sample.of(some, objective, CONFIG) for _ in range(2))
    assert torch.equal(sample.row_B, again.row_B)
    assert (sample.row_B % 2 == 1).all()
    assert (sample.lists.B, sample.nearby_BSK.shape) == (25, (25, 6, 7))
    with pytest.raises(CandidatesMissing):
        Sample.of(some.select(slice(0, 1)), objective, CONFIG)


def test_requests_are_ranked_some_at_a_time_and_none_is_lost(actor: Actor) -> None:
    requests, sizes = logged_lists(AT_ONCE + 5, 8, 4).requests, []

    def rank(some: Requests, weights_BK: Tensor, size: int) -> Tensor:
        sizes.append(some.B)
        return actor.greedy(some, weights_BK, size)

    weights_K = random_weights(1)[0]
    whole_BN = actor.greedy(requests, weights_K.expand(requests.B, -1), 4)
    assert torch.equal(slates(rank, requests, weights_K, 4), whole_BN)
    assert sizes == [AT_ONCE, 5]


@pytest.mark.parametrize("wrong", [torch.ones(2, 6), torch.zeros(2, 7), torch.full((2, 7), -1.0)])
def test_weights_that_are_none_are_refused(wrong: Tensor, objective: Objective) -> None:
    sample = Sample.of(logged_lists(5, 8, 4), objective, CONFIG)
    with pytest.raises(WeightsInvalid):
        compare(sample, objective, newest_first, wrong, CONFIG)


def explained(objective: Objective, rank, weights_K: Tensor) -> Explanation:
    lists = logged_lists(1, 10, 5)
    generator = torch.Generator().manual_seed(0)
    return explain(lists.requests, lists.shown_BN, objective, rank, weights_K, nearby=20, generator=generator)


def test_a_contribution_is_what_the_score_loses_without_the_item(objective: Objective, actor: Actor) -> None:
    weights_K = random_weights(1, seed=3)[0]
    got = explained(objective, actor.greedy, weights_K)
    requests = logged_lists(1, 10, 5).requests
    slate = [item.item for item in got.items]
    assert slate == actor.greedy(requests, weights_K.unsqueeze(0), 5)[0].tolist()
    for slot, item in enumerate(got.items):
        rest = [*slate[:slot], *slate[slot + 1 :]]
        both = [objective.reward(requests, weights_K[None], torch.tensor([[s]])) for s in (slate, rest)]
        assert sum(item.contribution_K) == pytest.approx(float(both[0] - both[1]), abs=1e-5)
    assert got.value_K == pytest.approx(objective.values(requests, torch.tensor([[slate]]))[0, 0].tolist())
    assert sum(got.influence_K) == pytest.approx(1)


def test_the_weight_that_moved_an_item_is_told(objective: Objective) -> None:
    place = UTILITY_NAMES.index("cold_start")
    got = explained(objective, newest_first, weighing("cold_start", 30))
    without = [item.slot_without_K for item in got.items]
    oldest = newest_first(logged_lists(1, 10, 5).requests, EVEN_K[None] / 7, 5)[0].tolist()
    assert [slots[place] for slots in without] == [
        oldest.index(item.item) if item.item in oldest else None for item in got.items
    ]
    assert all(slots[0] == slot for slot, slots in enumerate(without))
    assert all(item.contribution_K[1] == 0 for item in explained(objective, newest_first, weighing("gmv", 0)).items)


def test_an_only_weight_leaves_nothing_to_rank_by(objective: Objective, actor: Actor) -> None:
    weights_K = torch.zeros(7)
    weights_K[2] = 1
    assert {item.slot_without_K[2] for item in explained(objective, actor.greedy, weights_K).items} == {None}


def test_one_request_is_explained_at_a_time(objective: Objective, actor: Actor) -> None:
    lists, generator = logged_lists(2, 8, 4), torch.Generator()
    with pytest.raises(ShapeMismatch):
        explain(lists.requests, lists.shown_BN, objective, actor.greedy, EVEN_K, nearby=4, generator=generator)
    one = lists.select([0])
    with pytest.raises(WeightsInvalid):
        explain(one.requests, one.shown_BN, objective, actor.greedy, torch.ones(3), nearby=4, generator=generator)
