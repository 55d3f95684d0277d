"""Every method keeps to the one interface, and those that learn find more than chance does."""

from __future__ import annotations

import numpy as np
import pytest

from reward_llm.domain.searching import SearchMethod
from reward_llm.errors import SearchUnavailable
from reward_llm.loop.search import methods
from reward_llm.loop.search.hypervolume import hypervolume
from reward_llm.loop.search.methods import searcher
from reward_llm.loop.search.searcher import Point, Task

CHEAP = [method for method in SearchMethod if method is not SearchMethod.GP]
LEARNING = [SearchMethod.TPE, SearchMethod.NSGA2, SearchMethod.EVOLUTION, SearchMethod.POLICY_GRADIENT]
BUDGET = 64


def task(seed: int = 0, budget: int = BUDGET, dimensions: int = 5) -> Task:
    return Task(dimensions=dimensions, objectives=2, budget=budget, seed=seed)


def value(point: Point) -> tuple[float, float]:
    """Both want all but the first coordinate at 0.8; the first trades one for the other."""
    off = sum((x - 0.8) ** 2 for x in point[1:])
    return 1 - point[0] ** 2 - off, 1 - (1 - point[0]) ** 2 - off


def violation(point: Point) -> float:
    return max(0.0, point[0] - 0.9)


def searched(method: SearchMethod, seed: int, budget: int = BUDGET, batch: int = 1) -> list[Point]:
    made = searcher(method, task(seed, budget))
    points: list[Point] = []
    while len(points) < budget:
        asked = made.ask(batch)
        made.tell(asked, [value(p) for p in asked], [violation(p) for p in asked])
        points += asked
    return points


def volume(points: list[Point]) -> float:
    return hypervolume([value(p) for p in points if violation(p) <= 0], [-1.0, -1.0])


@pytest.mark.parametrize("method", CHEAP)
@pytest.mark.parametrize("batch", [1, 5])
def test_the_same_seed_finds_the_same_points_in_the_cube(method: SearchMethod, batch: int) -> None:
    first, second = (searched(method, 7, budget=30, batch=batch) for _ in range(2))
    assert first == second
    assert all(len(point) == 5 and all(0 <= x <= 1 for x in point) for point in first)
    if method is not SearchMethod.GRID:
        assert first != searched(method, 8, budget=30, batch=batch)


def test_gaussian_processes_find_the_same_points_and_better_ones_than_chance() -> None:
    pytest.importorskip("scipy")
    first, second = (searched(SearchMethod.GP, 7, budget=14) for _ in range(2))
    assert first == second
    assert all(0 <= x <= 1 for point in first for x in point)


@pytest.mark.parametrize("method", CHEAP)
def test_points_that_were_not_asked_for_may_be_told(method: SearchMethod) -> None:
    made = searcher(method, task())
    made.tell([(0.5,) * 5], [(0.1, 0.2)], [0.0])
    for _ in range(30):
        (point,) = made.ask(1)
        made.tell([point], [value(point)], [violation(point)])
    assert len(made.ask(3)) == 3


@pytest.mark.parametrize("method", LEARNING)
def test_what_learns_dominates_more_than_chance_does(method: SearchMethod) -> None:
    seeds = range(3)
    chance = np.mean([volume(searched(SearchMethod.RANDOM, seed)) for seed in seeds])
    assert np.mean([volume(searched(method, seed)) for seed in seeds]) > chance


def test_a_grid_has_every_middle_once_before_it_begins_again() -> None:
    made = searcher(SearchMethod.GRID, task(budget=30, dimensions=3))
    points = made.ask(64)
    assert len(set(points)) == 64
    assert {x for point in points for x in point} == {0.125, 0.375, 0.625, 0.875}
    assert made.ask(1) == points[:1]


def test_what_isnt_installed_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name="optuna")

    monkeypatch.setattr(methods, "import_module", missing)
    with pytest.raises(SearchUnavailable, match="tpe needs optuna") as refused:
        searcher(SearchMethod.TPE, task())
    assert "reward-llm[loop]" in (refused.value.hint or "")


def test_a_grid_of_more_cells_than_can_be_listed_repeats_none() -> None:
    points = searcher(SearchMethod.GRID, task(dimensions=31)).ask(BUDGET)
    assert len(set(points)) == BUDGET
    assert {x for point in points for x in point} == {0.25, 0.75}
