from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.scenario import Bounds, Guardrails, Scenario, Utility
from reward_llm.domain.weights import Weights
from reward_llm.errors import ScenarioInvalid, SearchInvalid
from reward_llm.loop.search.space import Space
from reward_llm.validation.gate import check
from tests.strategies import HOME_FEED

UNIT = st.floats(0, 1)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Any bounds that leave the defaults room, any largest step, and some utility that is held."""
    shares = draw(st.lists(st.integers(1, 100), min_size=2, max_size=8))
    defaults = Weights.rounded({f"u{place}": share / sum(shares) for place, share in enumerate(shares)})
    utilities = tuple(
        Utility(
            name=name,
            default=default,
            bounds=Bounds(min=default * draw(UNIT), max=default + (1 - default) * draw(UNIT)),
            description=HOME_FEED.title,
        )
        for name, default in defaults.items()
    )
    held = tuple(draw(st.sets(st.sampled_from([u.name for u in utilities]), max_size=1)))
    guardrails = Guardrails(max_step=draw(st.floats(0.05, 2)), held=held)
    return Scenario(name="any", title=HOME_FEED.title, utilities=utilities, guardrails=guardrails)


@given(scenarios(), st.data())
def test_every_point_gives_weights_that_pass_the_gate(scenario: Scenario, data: st.DataObject) -> None:
    space = Space.of(scenario, scenario.defaults)
    point = tuple(data.draw(st.lists(UNIT, min_size=space.dimensions, max_size=space.dimensions)))
    weights = space.weights(point)
    assert math.fsum(weights.values()) == pytest.approx(1, abs=1e-9)
    assert check(weights, scenario, scenario.defaults) == ()


@given(scenarios(), st.data())
def test_all_weights_that_pass_the_gate_lie_at_some_point(scenario: Scenario, data: st.DataObject) -> None:
    """Weights are drawn by moving what one utility can give to another, which knows nothing of the map."""
    space = Space.of(scenario, scenario.defaults)
    weights, names = dict(scenario.defaults), list(scenario.defaults)
    for _ in range(4):
        giver, taker = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(names))
        if giver == taker:
            continue
        room = min(weights[giver] - space.low[giver], space.high[taker] - weights[taker], space.max_step / 8)
        moved = max(room, 0.0) * data.draw(UNIT)
        weights[giver] -= moved
        weights[taker] += moved
    found = space.weights(space.point(weights))
    assert max(abs(found[name] - weight) for name, weight in weights.items()) < 2e-4


def test_points_by_chance_are_weights_by_chance() -> None:
    """Without bounds every weight's mean is the same, whatever its place."""
    import numpy as np  # noqa: PLC0415

    names = [f"u{place}" for place in range(5)]
    even = Weights.rounded(dict.fromkeys(names, 0.2))
    space = Space(dict.fromkeys(names, 0.0), dict.fromkeys(names, 1.0), even, 2.0)
    points = np.random.default_rng(1).random((4_000, 4))
    means = np.mean([space.weights(tuple(point)).vector for point in points], axis=0)
    assert means == pytest.approx([0.2] * 5, abs=0.01)


def test_what_lies_too_far_away_is_drawn_back_to_what_is_in_force() -> None:
    space = Space.of(HOME_FEED, HOME_FEED.defaults)
    weights = space.weights((0.0,) * space.dimensions)
    assert HOME_FEED.defaults.distance(weights) == pytest.approx(HOME_FEED.guardrails.max_step, abs=1e-3)


def test_bounds_that_nothing_keeps_to_are_told() -> None:
    in_force = Weights({"click": 0.5, "gmv": 0.5})
    scenario = Scenario(
        name="tight",
        title=HOME_FEED.title,
        utilities=tuple(
            Utility(name=name, default=0.5, bounds=Bounds(min=0.5, max=0.5), description=HOME_FEED.title)
            for name in in_force
        ),
    )
    space = Space.of(scenario, in_force)
    assert dict(space.weights((0.7,))) == dict(in_force)
    with pytest.raises((SearchInvalid, ScenarioInvalid)):
        Space.of(_over(scenario), in_force)


def _over(scenario: Scenario) -> Scenario:
    """The scenario with least weights that add up to more than 1, which no file could have."""
    for utility in scenario.utilities:
        object.__setattr__(utility, "bounds", Bounds(min=0.6, max=0.6))
    return scenario
