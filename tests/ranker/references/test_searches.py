from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ranker.errors import SearchInvalid, WeightsInvalid
from ranker.references import (
    Found,
    Objective,
    SeparableCase,
    SlateSpace,
    beam_search,
    best_of,
    brute_force,
    cp_sat,
    dpp,
    greedy,
    group_similarity,
    mmr,
    random_case,
    sort_by,
    swap_search,
)
from ranker.references.dpp import JITTER, dpp_slate
from ranker.references.mmr import mmr_slate

cases = st.builds(random_case, st.integers(4, 6), st.integers(2, 3), st.integers(0, 2**31))


def _weights(seed: int) -> Tensor:
    return -torch.rand(7, generator=torch.Generator().manual_seed(seed)).log()


def _all_searches(case: SeparableCase, objective: Objective) -> list[Found]:
    similarity_MM = group_similarity(case.requests, 0)
    found = [
        greedy(objective, case.space),
        beam_search(objective, case.space, width=3),
        sort_by(objective, case.space, case.attraction_M),
        mmr(objective, case.space, case.attraction_M, similarity_MM),
        dpp(objective, case.space, case.attraction_M, similarity_MM),
    ]
    return [*found, swap_search(objective, case.space, found[0].slate)]


@given(case=cases, seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_no_search_beats_brute_force_and_each_says_what_its_slate_is_worth(case: SeparableCase, seed: int) -> None:
    objective = case.objective(_weights(seed))
    best = brute_force(objective, case.space)
    for found in _all_searches(case, objective):
        assert found.reward == pytest.approx(float(objective(torch.tensor([found.slate]))[0]), abs=1e-6)
        assert found.reward <= best.reward + 1e-6
        assert len(set(found.slate)) == case.size


@given(case=cases, seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_a_beam_that_drops_nothing_finds_the_best(case: SeparableCase, seed: int) -> None:
    objective = case.objective(_weights(seed))
    found = beam_search(objective, case.space, width=1000)
    assert found.reward == pytest.approx(brute_force(objective, case.space).reward, abs=1e-6)


@pytest.mark.parametrize("corner", [None, *range(7)])
def test_integer_programming_finds_what_brute_force_finds(corner: int | None) -> None:
    for seed in range(3):
        case = random_case(7, 4, seed)
        weights_K = _weights(seed) if corner is None else torch.eye(7)[corner]
        best = brute_force(case.objective(weights_K), case.space)
        found = cp_sat(case, weights_K, seconds=30)
        assert found.reward == pytest.approx(best.reward, abs=1e-5)
        assert found.bound == pytest.approx(best.reward, abs=1e-5)


def test_integer_programming_out_of_time_gives_no_less_than_its_start_and_a_bound_above_it() -> None:
    case = random_case(30, 8, 1)
    objective = case.objective(_weights(2))
    start = beam_search(objective, case.space, width=16)
    found = cp_sat(case, _weights(2), seconds=0.05, start=start.slate)
    assert found.reward >= start.reward
    assert found.bound is None or found.bound >= beam_search(objective, case.space, width=64).reward - 1e-6


def _bound_case() -> SeparableCase:
    case = random_case(7, 4, 11)
    case.requests.pinned_BM[0, 5] = 1
    case.requests.forbidden_BM[0, 2] = True
    return case


def test_every_search_keeps_pins_and_shows_nothing_forbidden() -> None:
    case = _bound_case()
    objective = case.objective(_weights(4))
    exact = [brute_force(objective, case.space), cp_sat(case, _weights(4), seconds=30)]
    assert exact[0].reward == pytest.approx(exact[1].reward, abs=1e-5)
    for found in [*exact, *_all_searches(case, objective)]:
        assert found.slate[1] == 5
        assert 2 not in found.slate


def test_a_start_that_is_given_to_integer_programming_changes_no_result() -> None:
    case = random_case(7, 3, 2)
    start = greedy(case.objective(_weights(1)), case.space).slate
    assert cp_sat(case, _weights(1), start=start).reward == pytest.approx(cp_sat(case, _weights(1)).reward, abs=1e-6)


@given(case=cases, seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_nothing_within_one_step_beats_the_end_of_a_swap_search(case: SeparableCase, seed: int) -> None:
    objective = case.objective(_weights(seed))
    start = case.space.filled(case.space.items)
    found = swap_search(objective, case.space, start)
    assert found.reward >= float(objective(torch.tensor([start]))[0]) - 1e-9
    for other in itertools.permutations(case.space.items, case.size):
        moved = sum(a != b for a, b in zip(other, found.slate, strict=True))
        swapped = moved == 2 and set(other) == set(found.slate)
        if moved == 1 or swapped:
            assert float(objective(torch.tensor([other]))[0]) <= found.reward + 1e-6


@given(case=cases, seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_greedy_takes_the_item_of_the_highest_gain_each_time(case: SeparableCase, seed: int) -> None:
    objective = case.objective(_weights(seed))
    slate: list[int] = []
    for slot in range(case.size):
        prefixes = [[*slate, item] + [-1] * (case.size - slot - 1) for item in case.space.items if item not in slate]
        slate = prefixes[int(objective(torch.tensor(prefixes)).argmax())][: slot + 1]
    assert greedy(objective, case.space).slate == tuple(slate)


@given(case=cases, temperature=st.sampled_from([0.0, 1.0, 4.0]))
@settings(max_examples=20)
def test_dpp_takes_the_item_that_raises_the_determinant_most(case: SeparableCase, temperature: float) -> None:
    similarity_MM = group_similarity(case.requests, 0)
    items = len(similarity_MM)
    quality_M = torch.exp(temperature * case.attraction_M.double())
    kernel_MM = quality_M[:, None] * (similarity_MM + JITTER * torch.eye(items)) * quality_M
    found = dpp_slate(case.space, case.attraction_M, similarity_MM, temperature)
    for slot, item in enumerate(found):
        volumes = []
        for other in range(items):
            chosen = torch.tensor([*found[:slot], other])
            volumes.append(0.0 if other in found[:slot] else float(torch.det(kernel_MM[chosen][:, chosen])))
        assert volumes[item] == pytest.approx(max(volumes), rel=1e-6)


def test_mmr_without_variety_is_the_order_of_the_score() -> None:
    case = random_case(8, 4, 3)
    similarity_MM = group_similarity(case.requests, 0)
    ranked = case.attraction_M.argsort(descending=True)[:4].tolist()
    assert list(mmr_slate(case.space, case.attraction_M, similarity_MM, 1.0)) == ranked
    varied = mmr_slate(case.space, case.attraction_M, similarity_MM, 0.1)
    assert similarity_MM[list(varied)][:, list(varied)].sum() < similarity_MM[ranked][:, ranked].sum()


def test_one_search_gives_one_result() -> None:
    assert random_case(9, 4, 5).objective(_weights(0))(torch.tensor([[0, 1, 2, 3]])) == random_case(
        9, 4, 5
    ).objective(_weights(0))(torch.tensor([[0, 1, 2, 3]]))
    case = random_case(20, 6, 1)
    objective = case.objective(_weights(0))
    assert beam_search(objective, case.space, width=8) == beam_search(objective, case.space, width=8)


def test_items_pinned_to_every_slot_leave_one_slate() -> None:
    space = SlateSpace(items=(0,), size=2, pins={0: 4, 1: 3})

    def objective(slate_SN: Tensor) -> Tensor:
        return slate_SN.sum(-1).float()

    for found in (brute_force(objective, space), greedy(objective, space), swap_search(objective, space, (4, 3))):
        assert found.slate == (4, 3)


def test_searches_that_cannot_be_done_are_refused() -> None:
    with pytest.raises(SearchInvalid, match="can't fill"):
        SlateSpace.free(candidates=3, size=4)
    with pytest.raises(SearchInvalid, match="twice"):
        SlateSpace(items=(1, 2), size=2, pins={0: 2})
    with pytest.raises(SearchInvalid, match="don't fit"):
        SlateSpace(items=(1, 2), size=2, pins={2: 3})
    case = random_case(40, 10, 0)
    objective = case.objective(_weights(0))
    with pytest.raises(SearchInvalid, match="brute force"):
        brute_force(objective, case.space)
    with pytest.raises(SearchInvalid, match="width"):
        beam_search(objective, case.space, width=0)
    with pytest.raises(SearchInvalid, match="start"):
        swap_search(objective, case.space, (0,) * 10)
    with pytest.raises(SearchInvalid, match="no slate"):
        best_of(objective, [])
    with pytest.raises(WeightsInvalid):
        case.objective(torch.zeros(7))
