from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.interpretation import Decision, Direction, Emphasis, Intent, Interpretation
from reward_llm.domain.points import MAX_POINTS, contradictions, excesses, points_of, shares_of
from reward_llm.domain.weighting import base_weights, weights_from_shares
from reward_llm.domain.weights import DECIMALS, Weights
from reward_llm.validation import gate
from tests.strategies import HOME_FEED, intents_for, points_for, scenarios, weights_within

UNIT = 10.0**-DECIMALS
TODAY = {
    "click": 25,
    "gmv": 20,
    "satisfaction": 15,
    "retention": 15,
    "diversity": 10,
    "cold_start": 10,
    "group_order": 5,
}


@st.composite
def cases(draw):
    """Any points beside any intents."""
    scenario = draw(scenarios())
    return scenario, draw(points_for(scenario)), draw(intents_for(scenario)), draw(weights_within(scenario))


@st.composite
def agreeing_cases(draw):
    """Points, and intents of which none goes against them."""
    scenario, points, intents, active = draw(cases())
    kept = tuple(i for i in intents if not contradictions(points, [i], scenario, active))
    return scenario, points, kept, active


def weigh(scenario, points, intents, active):
    return weights_from_shares(shares_of(points), intents, scenario, active)


def intent(utility, direction, emphasis=Emphasis.CLEAR):
    return Intent(utility=utility, direction=direction, emphasis=emphasis)


@given(cases())
def test_whatever_the_points_are_the_weights_pass_the_gate(case):
    scenario, points, intents, active = case
    reading = Interpretation(decision=Decision.PROPOSE, intents=intents)
    assert gate.check(weigh(*case), scenario, active, reading) == ()
    assert points.keys() == weigh(*case).keys()


@given(cases())
def test_weights_lie_on_the_simplex_within_bounds_and_within_the_step(case):
    scenario, _, _, active = case
    weights = weigh(*case)
    assert sum(weights.values()) == pytest.approx(1, abs=1e-9)
    for utility in scenario.utilities:
        assert utility.bounds.min - UNIT <= weights[utility.name] <= utility.bounds.max + UNIT
    assert weights.distance(active) <= scenario.guardrails.max_step + UNIT * len(weights)


@given(cases())
def test_a_held_utility_never_falls_below_its_floor(case):
    scenario, _, intents, active = case
    weights = weigh(*case)
    for name in {i.utility for i in intents if i.direction is Direction.HOLD} | set(scenario.guardrails.held):
        assert weights[name] >= min(scenario.utility(name).held_floor, active[name]) - UNIT


@given(agreeing_cases())
def test_points_that_agree_with_the_intents_become_weights_that_do(case):
    scenario, _, intents, active = case
    weights, base = weigh(*case), base_weights(scenario, active)
    for i in intents:
        references = (base[i.utility], active[i.utility])
        if i.direction is Direction.RAISE:
            assert weights[i.utility] >= min(references) - UNIT
        elif i.direction is Direction.LOWER:
            assert weights[i.utility] <= max(references) + UNIT


@given(agreeing_cases())
def test_exactly_points_beyond_a_limit_are_drawn_back(case):
    scenario, points, intents, active = case
    within = excesses(points, intents, scenario, active) == ()
    moved = weigh(*case).distance(shares_of(points))
    assert (moved <= 3 * UNIT * len(points)) or not within
    assert (moved > 0) or within


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_utilities_and_intents_changes_nothing(case, random):
    scenario, points, intents, active = case
    utilities, shuffled, entries = list(scenario.utilities), list(intents), list(points.items())
    for values in (utilities, shuffled, entries):
        random.shuffle(values)
    reordered = replace(scenario, utilities=tuple(utilities)), dict(entries), tuple(shuffled), active
    other, weights = weigh(*reordered), weigh(*case)
    assert all(other[k] == pytest.approx(weights[k], abs=UNIT) for k in weights)
    found = contradictions(points, intents, scenario, active)
    assert set(contradictions(reordered[1], shuffled, reordered[0], active)) == set(found)


@given(scenarios().flatmap(points_for), st.integers(2, 5))
def test_only_the_proportions_of_points_matter(points, factor):
    assert shares_of({k: factor * v for k, v in points.items()}) == pytest.approx(shares_of(points))


@given(scenarios().flatmap(weights_within))
def test_weights_as_points_add_up_to_all_points_and_are_off_by_less_than_one(weights):
    points = points_of(weights)
    assert sum(points.values()) == MAX_POINTS
    assert all(abs(points[k] - MAX_POINTS * weights[k]) < 1 for k in weights)


@pytest.mark.parametrize(
    ("points", "direction", "agrees"),
    [
        (TODAY, Direction.RAISE, False),
        (TODAY, Direction.LOWER, False),
        (TODAY, Direction.HOLD, True),
        (TODAY | {"click": 26}, Direction.RAISE, True),
        (TODAY | {"click": 26}, Direction.LOWER, False),
        (TODAY | {"click": 24}, Direction.LOWER, True),
        (TODAY | {"click": 24}, Direction.RAISE, False),
        (TODAY | {"click": 26, "gmv": 40}, Direction.RAISE, False),
        (TODAY | {"click": 0}, Direction.HOLD, True),
    ],
)
def test_a_raised_share_lies_above_its_base_and_a_lowered_one_below(points, direction, agrees):
    found = contradictions(points, [intent("click", direction)], HOME_FEED, HOME_FEED.defaults)
    assert [v.path for v in found] == ([] if agrees else ["weights/click"])


def test_a_disagreement_says_from_where_and_to_what():
    points = TODAY | {"gmv": 18, "click": 27}
    (violation,) = contradictions(points, [intent("gmv", Direction.RAISE)], HOME_FEED, HOME_FEED.defaults)
    assert str(violation) == "weights/gmv: the intent is to raise it from 20.00%, but its points make 18.00%"


def test_the_base_is_the_active_policy_where_the_scenario_says_so():
    adding_up = replace(HOME_FEED, base="active")
    active = Weights({**HOME_FEED.defaults, "click": 0.35, "gmv": 0.10})
    raised = [intent("click", Direction.RAISE)]
    points = TODAY | {"click": 30, "gmv": 15}
    assert contradictions(points, raised, HOME_FEED, active) == ()
    assert [v.code for v in contradictions(points, raised, adding_up, active)] == ["disagreement"]


def test_a_utility_at_the_end_of_its_bounds_may_stay_there():
    adding_up = replace(HOME_FEED, base="active")
    most = HOME_FEED.utility("click").bounds.max
    active = Weights({**HOME_FEED.defaults, "click": most, "gmv": 0.05, "satisfaction": 0.05})
    points = points_of(active)
    assert contradictions(points, [intent("click", Direction.RAISE)], adding_up, active) == ()
    assert contradictions(points, [intent("gmv", Direction.LOWER)], adding_up, active) == ()


@pytest.mark.parametrize("intents", [(), (intent("click", Direction.HOLD),)])
def test_without_a_single_point_there_is_nothing_to_share(intents):
    found = contradictions(dict.fromkeys(TODAY, 0), intents, HOME_FEED, HOME_FEED.defaults)
    assert [v.code for v in found] == ["no_points"]


def test_all_points_on_one_utility_stop_at_its_bound_and_raise_no_other():
    everything = dict.fromkeys(TODAY, 0) | {"gmv": MAX_POINTS}
    weights = weigh(HOME_FEED, everything, [intent("gmv", Direction.RAISE, Emphasis.DOMINANT)], HOME_FEED.defaults)
    assert weights["gmv"] == HOME_FEED.utility("gmv").bounds.max
    assert all(weights[k] <= HOME_FEED.defaults[k] for k in TODAY if k != "gmv")
