from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ranker.bench import report as bench_report
from ranker.bench.control import control, spearman
from ranker.bench.ground import greedy_reward, judged, separable_ground
from ranker.bench.latency import first_candidates, latency
from ranker.bench.optimum import ALL, CORNERS, DRAWN, Optimum, Trials, optimum, spread_weights
from ranker.bench.price import fixed_weights, only, price
from ranker.bench.problem import GREEDY, SWAPPED, Effort
from ranker.bench.separable import (
    CONFIG,
    FIRST_SEED,
    SHAPE,
    load_actor,
    save_actor,
    separable_lessons,
    separable_objective,
    separable_training,
    train_separable,
)
from ranker.errors import CandidatesMissing, ModelInvalid
from ranker.objective import Objective
from ranker.references import SeparableCase
from ranker.references.case import ragged_requests, random_requests, traits
from ranker.requests import Requests
from ranker.scorer import Scorer, ScorerConfig
from ranker.training.config import ActorTraining, Schedule, WeightRanges
from ranker.training.teacher import marginal_greedy
from ranker.training.weights import draw_weights
from tests.ranker.batches import seeds

OBJECTIVE = separable_objective()
EAGER = dataclasses.replace(ScorerConfig(), compiled=False)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def first_come(requests: Requests, weights_BK: Tensor, size: int) -> Tensor:
    del weights_BK
    return torch.arange(size).expand(requests.B, -1)


def greedy_rank(requests: Requests, weights_BK: Tensor, size: int) -> Tensor:
    return marginal_greedy(OBJECTIVE, requests, weights_BK, size)


def trials(candidates: int, size: int, drawn: int = 4, rounds: int = 0) -> Trials:
    weights_BK, kinds = spread_weights(drawn, rounds, 7, 0)
    requests = random_requests(len(kinds), candidates, generator(FIRST_SEED))
    return Trials(requests=requests, weights_BK=weights_BK, kinds=kinds, size=size, objective=OBJECTIVE)


def means(table: Optimum) -> dict[str, float]:
    return {one.name: one.over[ALL].mean for one in table.contestants}


@given(seed=seeds)
@settings(max_examples=15)
def test_many_requests_in_closed_form_are_worth_what_one_is(seed: int) -> None:
    requests = ragged_requests(5, 4, 9, generator(seed))
    weights_BK = draw_weights(WeightRanges(), 5, 7, generator(seed))
    slate_BSN = torch.arange(3).flip(0).expand(5, 1, -1)
    together_B = OBJECTIVE.reward(requests, weights_BK, slate_BSN)[:, 0]
    for row in range(5):
        alone = SeparableCase(requests=requests.select([row]), size=3).objective(weights_BK[row])
        assert float(alone(slate_BSN[row])[0]) == pytest.approx(together_B[row].item(), abs=1e-6)


def test_features_say_what_users_like() -> None:
    trait_BMF = traits(random_requests(200, 50, generator()))
    assert 0 <= trait_BMF.min() < trait_BMF.max() <= 1
    assert random_requests(200, 50, generator()).item_BMF.std((0, 1)).tolist() == pytest.approx([1] * 4, abs=0.1)


def test_no_lesson_has_the_seed_of_a_test() -> None:
    with pytest.raises(ValueError, match="seeds"):
        separable_lessons(FIRST_SEED)


def test_ragged_requests_are_of_all_sizes() -> None:
    counts = ragged_requests(90, 4, 12, generator()).valid_BM.sum(1)
    assert sorted(set(counts.tolist())) == list(range(4, 13))


def test_no_share_is_above_one_and_small_requests_are_held_against_all_slates() -> None:
    table = optimum("small", trials(7, 3, 6, 1), {"first come": first_come}, Effort())
    assert table.best_by == "all slates tried"
    assert (table.candidates, table.size, table.problems) == (7, 3, 13)
    for one in table.contestants:
        assert set(one.over) == {DRAWN, CORNERS, ALL}
        assert 0 <= one.over[ALL].least <= one.over[ALL].p5 <= 1
    assert means(table)["first come"] < means(table)[GREEDY] <= means(table)[SWAPPED]


def test_the_share_of_lists_is_counted_against_greedy_itself() -> None:
    table = optimum("small", trials(7, 3, 6), {"the same": greedy_rank, "first come": first_come}, Effort())
    by_name = {one.name: one.over[ALL] for one in table.contestants}
    assert (by_name["the same"].at_least_greedy, by_name["the same"].above_greedy) == (1, 0)
    assert by_name["the same"].mean == pytest.approx(by_name[GREEDY].mean, abs=1e-6)
    assert by_name["first come"].at_least_greedy < 0.5


def test_large_requests_are_held_against_the_best_of_the_searches() -> None:
    effort = Effort(beam=80, cp_sat_s=0.5)
    table = optimum("large", trials(16, 6, 2), {"first come": first_come}, effort)
    assert table.best_by == "beam 64 + swap, beam 80 + swap, CP-SAT 0.5 s"
    assert max(means(table).values()) <= 1
    assert {one.name for one in table.contestants if one.seconds is None} == {"first come"}


def test_where_nothing_is_worth_anything_every_slate_is_a_best_one() -> None:
    given = trials(6, 3, 2)
    requests = Requests(**{**given.requests.tensors(), "is_new_BM": torch.zeros(2, 6, dtype=torch.bool)})
    nothing = dataclasses.replace(given, requests=requests, weights_BK=torch.eye(7)[5].repeat(2, 1))
    assert means(optimum("none", nothing, {"first come": first_come}, Effort()))["first come"] == 1


def best_rank(requests: Requests, weights_BK: Tensor, size: int) -> Tensor:
    """The best of all slates."""
    every_SN = torch.tensor(list(itertools.permutations(range(requests.M), size)))
    every_BSN = every_SN.expand(requests.B, -1, -1)
    best_B = OBJECTIVE.reward(requests, weights_BK, every_BSN).argmax(-1)
    return every_SN[best_B]


def test_the_best_slates_have_utilities_that_never_fall_with_their_weight() -> None:
    sweeps = control(best_rank, OBJECTIVE, random_requests(20, 6, generator(5)), 3)
    assert [sweep.utility for sweep in sweeps] == list(OBJECTIVE.utilities.names)
    for sweep in sweeps:
        assert sweep.weight == pytest.approx([v / 10 for v in range(11)])
        assert all(b >= a - 1e-5 for a, b in itertools.pairwise(sweep.achieved))
        assert sweep.spearman > 0.4
        assert sweep.largest_fall < 1e-3
        assert sweep.range_percent is not None
        assert sweep.range_percent > 1


def test_a_ranker_that_does_not_listen_has_no_range() -> None:
    sweeps = control(first_come, OBJECTIVE, random_requests(20, 6, generator(5)), 3)
    assert {sweep.spearman for sweep in sweeps} == {0}
    assert {sweep.range_percent for sweep in sweeps} == {0}


def test_a_fall_on_the_way_up_is_told_as_a_share_of_the_way() -> None:
    def late(requests: Requests, weights_BK: Tensor, size: int) -> Tensor:
        """Good slates but for one weight."""
        return (
            first_come(requests, weights_BK, size)
            if weights_BK[0, 0] == 0.5
            else best_rank(requests, weights_BK, size)
        )

    sweep = control(late, OBJECTIVE, random_requests(20, 6, generator(5)), 3, values=5)[0]
    fell = sweep.achieved[1] - sweep.achieved[2]
    assert fell > 0
    assert sweep.largest_fall == pytest.approx(fell / (max(sweep.achieved) - min(sweep.achieved)), abs=1e-6)


def test_the_other_weights_keep_their_proportion() -> None:
    seen: list[Tensor] = []

    def watched(requests: Requests, weights_BK: Tensor, size: int) -> Tensor:
        seen.append(weights_BK[0])
        return first_come(requests, weights_BK, size)

    control(watched, OBJECTIVE, random_requests(2, 6, generator()), 3, others_K=torch.arange(1.0, 8), values=3)
    assert len(seen) == 21
    for weights_K in seen:
        assert weights_K.sum().item() == pytest.approx(1)
    middle_K = seen[1]
    assert middle_K[0].item() == pytest.approx(0.5)
    assert (middle_K[1:] / middle_K[1]).tolist() == pytest.approx([n / 2 for n in range(2, 8)])


@given(st.lists(st.integers(0, 5), min_size=2, max_size=8))
def test_rank_correlation_is_that_of_the_ranks(values: list[int]) -> None:
    other = [(7 * place) % 5 for place in range(len(values))]

    def ranks(sample: list[int]) -> list[float]:
        return [sum(b < a for b in sample) + (sum(b == a for b in sample) + 1) / 2 for a in sample]

    a, b = ranks(values), ranks(other)
    mean = (len(a) + 1) / 2
    covered = sum((x - mean) * (y - mean) for x, y in zip(a, b, strict=True))
    size = math.sqrt(sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b))
    found = spearman(torch.tensor(values, dtype=torch.float64), torch.tensor(other, dtype=torch.float64))
    assert found == pytest.approx(covered / size if size else 0, abs=1e-9)


def test_ten_fixed_weights_are_half_corners() -> None:
    weights_VK = fixed_weights(10, 7, 0)
    assert weights_VK.shape == (10, 7)
    assert (weights_VK.amax(-1) == 1).sum() == 5
    torch.testing.assert_close(weights_VK.sum(-1), torch.ones(10))


def test_one_weight_vector_is_all_that_is_drawn_from_its_ranges() -> None:
    weights_K = torch.tensor([0.2, 0.0, 0.8])
    torch.testing.assert_close(draw_weights(only(weights_K), 50, 3, generator()), weights_K.expand(50, -1))


def short(steps: int = 3) -> ActorTraining:
    schedule = Schedule(steps=steps, batch=8, report_every=3)
    return dataclasses.replace(ActorTraining(), schedule=schedule, size=10, hold_back=0.01)


def test_an_actor_for_one_weight_vector_is_held_against_the_one_for_all(tmp_path: Path) -> None:
    ground = separable_ground(12)
    actor, _ = train_separable(short(), tmp_path / "all")
    found = price(actor, ground, torch.eye(7)[0], short(), tmp_path / "own")
    assert 0 < found.one_for_all < found.greedy
    assert found.loss == pytest.approx(1 - found.one_for_all / found.own)


def test_an_actor_is_judged_beside_greedy_on_requests_held_back(tmp_path: Path) -> None:
    ground = separable_ground(12)
    weights_BK, _ = spread_weights(12, 0, 7, 0)
    actor, _ = train_separable(short(), tmp_path)
    greedy_B = greedy_reward(ground, weights_BK)
    found = judged(actor, ground, weights_BK, greedy_B)
    own_BN = actor.greedy(ground.held.requests, weights_BK, 10)
    own_B = OBJECTIVE.reward(ground.held.requests, weights_BK, own_BN[:, None])[:, 0]
    assert found.of_greedy == pytest.approx((own_B.mean() / greedy_B.mean()).item())
    assert found.at_least_greedy == (own_B >= greedy_B - 1e-6).float().mean().item()


def test_the_actor_for_closed_form_is_kept_and_read_back(tmp_path: Path) -> None:
    actor, _ = train_separable(separable_training(1), tmp_path / "run")
    save_actor(actor, tmp_path / "cases")
    read = load_actor(tmp_path / "cases")
    assert (read.shape, read.config) == (SHAPE, CONFIG)
    assert all(torch.equal(a, b) for a, b in zip(actor.parameters(), read.parameters(), strict=True))
    with pytest.raises(ModelInvalid, match="separable"):
        load_actor(tmp_path)


def test_the_scorer_in_closed_form_is_never_worse_than_its_actor(tmp_path: Path) -> None:
    actor, _ = train_separable(short(), tmp_path)
    scorer = Scorer(actor, OBJECTIVE, config=EAGER)
    table = optimum("small", trials(9, 4, 3), bench_report.ranks(scorer), Effort())
    assert means(table)["actor"] <= means(table)["scorer"] <= 1


def test_requests_are_cut_to_one_width_for_timing() -> None:
    requests = ragged_requests(30, 5, 9, generator())
    narrow = first_candidates(requests, 7)
    assert narrow.M == 7
    assert bool(narrow.valid_BM.all())
    assert int((requests.valid_BM.sum(1) >= 7).sum()) == narrow.B
    with pytest.raises(CandidatesMissing):
        first_candidates(requests, 10)


def test_times_are_those_of_the_calls_asked_for(tmp_path: Path) -> None:
    actor, _ = train_separable(short(), tmp_path)
    scorer = Scorer(actor, OBJECTIVE, config=dataclasses.replace(EAGER, samples=1, sweeps=0))
    requests = random_requests(3, 12, generator())
    found = latency(scorer, requests, spread_weights(3, 0, 7, 0)[0], 4, calls=5)
    assert (found.path, found.candidates, found.size, found.calls) == ("eager", 12, 4, 5)
    assert 0 < found.greedy.p50_ms <= found.greedy.p99_ms
    assert 0 < found.full.p50_ms <= found.full.p99_ms


def test_an_objective_in_closed_form_stands_in_for_any_other() -> None:
    assert isinstance(OBJECTIVE, Objective)
