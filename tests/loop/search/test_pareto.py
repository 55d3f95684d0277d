from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna._hypervolume.wfg import compute_hypervolume

from reward_llm.loop.search.hypervolume import contributions, hypervolume
from reward_llm.loop.search.pareto import best_first, front, fronts

COORDINATE = st.integers(0, 6).map(float)


@st.composite
def clouds(draw: st.DrawFn) -> list[list[float]]:
    dimensions = draw(st.integers(1, 3))
    point = st.lists(COORDINATE, min_size=dimensions, max_size=dimensions)
    return draw(st.lists(point, min_size=1, max_size=12))


def dominates(one: list[float], other: list[float]) -> bool:
    return all(a >= b for a, b in zip(one, other, strict=True)) and one != other


@given(clouds())
def test_the_front_is_what_none_dominates_and_the_first_of_equals(values: list[list[float]]) -> None:
    found = front(values, [0.0] * len(values))
    for place, value in enumerate(values):
        beaten = any(dominates(other, value) for other in values) or value in values[:place]
        assert (place in found) == (not beaten)


@given(clouds(), st.data())
def test_what_breaks_a_constraint_is_beaten_by_what_breaks_it_less(
    values: list[list[float]], data: st.DataObject
) -> None:
    size = len(values)
    violations = data.draw(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=size, max_size=size))
    layers = fronts(values, violations)
    assert sorted(place for layer in layers for place in layer) == list(range(size))
    assert {violations[place] for place in layers[0]} == {min(violations)}
    assert sorted(best_first(values, violations)) == list(range(size))
    assert set(best_first(values, violations)[: len(layers[0])]) == set(layers[0])


@given(clouds())
def test_hypervolume_is_what_inclusion_and_exclusion_give(values: list[list[float]]) -> None:
    values = values[:7]
    reference = [1.0] * len(values[0])
    expected = 0.0
    for size in range(1, len(values) + 1):
        for chosen in combinations(values, size):
            sides = np.maximum(np.min(chosen, axis=0) - reference, 0.0)
            expected += (-1) ** (size + 1) * float(np.prod(sides))
    assert hypervolume(values, reference) == pytest.approx(expected)


def test_hypervolume_is_what_optuna_finds_and_what_points_by_chance_say() -> None:
    generator = np.random.default_rng(4)
    values = generator.random((30, 3))
    ours = hypervolume(values, [0.0, 0.0, 0.0])
    assert ours == pytest.approx(compute_hypervolume(-values, np.zeros(3)))
    inside = np.array([(values >= point).all(axis=1).any() for point in generator.random((20_000, 3))])
    assert ours == pytest.approx(inside.mean(), abs=0.015)


@given(clouds())
def test_a_contribution_is_what_would_be_lost(values: list[list[float]]) -> None:
    reference = [0.0] * len(values[0])
    whole = hypervolume(values, reference)
    for place, adds in enumerate(contributions(values, reference)):
        rest = [value for other, value in enumerate(values) if other != place]
        assert adds == pytest.approx(whole - hypervolume(rest, reference))
        assert adds >= -1e-9


def test_nothing_dominates_nothing() -> None:
    assert front([], []) == []
    assert hypervolume([], [0.0, 0.0]) == 0.0
