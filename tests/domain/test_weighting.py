from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.interpretation import Decision, Direction, Emphasis, Intent, Interpretation
from reward_llm.domain.weighting import weights_for
from reward_llm.domain.weights import DECIMALS, Weights
from reward_llm.validation import gate
from tests.strategies import HOME_FEED, VIDEO_FEED, intents_for, scenarios, weights_within

UNIT = 10.0**-DECIMALS
STRONGER = {Emphasis.SLIGHT: Emphasis.CLEAR, Emphasis.CLEAR: Emphasis.DOMINANT}


@st.composite
def cases(draw):
    scenario = draw(scenarios())
    return scenario, draw(intents_for(scenario)), draw(weights_within(scenario))


@given(cases())
def test_whatever_is_asked_for_the_weights_pass_the_gate(case):
    scenario, intents, active = case
    reading = Interpretation(decision=Decision.PROPOSE, intents=intents)
    weights = weights_for(intents, scenario, active)
    assert gate.check(weights, scenario, active, reading) == ()


@given(cases())
def test_weights_lie_on_the_simplex_and_within_bounds(case):
    scenario, intents, active = case
    weights = weights_for(intents, scenario, active)
    assert sum(weights.values()) == pytest.approx(1, abs=1e-9)
    for utility in scenario.utilities:
        assert utility.bounds.min - UNIT <= weights[utility.name] <= utility.bounds.max + UNIT


@given(cases())
def test_no_weights_are_further_from_the_active_ones_than_the_largest_step(case):
    scenario, intents, active = case
    weights = weights_for(intents, scenario, active)
    assert weights.distance(active) <= scenario.guardrails.max_step + UNIT * len(weights)


@given(cases(), st.floats(0.05, 2), st.floats(0.05, 2))
def test_a_larger_step_never_ends_further_from_what_is_asked_for(case, one, other):
    scenario, intents, active = case
    unhindered, short, long = (
        weights_for(intents, replace(scenario, guardrails=replace(scenario.guardrails, max_step=step)), active)
        for step in (2.0, *sorted((one, other)))
    )
    assert long.distance(unhindered) <= short.distance(unhindered) + 2 * UNIT * len(long)


@given(cases(), st.data())
def test_more_emphasis_never_moves_a_weight_the_other_way(case, data):
    scenario, intents, active = case
    weaker = [i for i in intents if i.emphasis in STRONGER and i.direction is not Direction.HOLD]
    if not weaker:
        return
    chosen = data.draw(st.sampled_from(weaker))
    stronger = tuple(replace(i, emphasis=STRONGER[i.emphasis]) if i is chosen else i for i in intents)
    before = weights_for(intents, scenario, active)[chosen.utility]
    after = weights_for(stronger, scenario, active)[chosen.utility]
    if chosen.direction is Direction.RAISE:
        assert after >= before - UNIT
    else:
        assert after <= before + UNIT


@given(cases())
def test_a_held_utility_never_falls_below_its_floor(case):
    scenario, intents, active = case
    weights = weights_for(intents, scenario, active)
    held = {i.utility for i in intents if i.direction is Direction.HOLD} | set(scenario.guardrails.held)
    for name in held:
        assert weights[name] >= min(scenario.utility(name).held_floor, active[name]) - UNIT


def test_a_floor_above_the_base_gives_way_before_a_raise_becomes_a_fall():
    active = Weights({"watch_quality": 0.50, "return_tomorrow": 0.35, "fresh_creators": 0.05, "calm": 0.10})
    raised = [u for u in active if u != "fresh_creators"]
    intents = [Intent(utility=u, direction=Direction.RAISE, emphasis=Emphasis.SLIGHT) for u in raised]
    intents.append(Intent(utility="fresh_creators", direction=Direction.HOLD, emphasis=Emphasis.CLEAR))
    assert VIDEO_FEED.utility("fresh_creators").held_floor > active["fresh_creators"]
    assert weights_for(intents, VIDEO_FEED, active) == active


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_utilities_and_intents_changes_nothing(case, random):
    scenario, intents, active = case
    utilities, shuffled = list(scenario.utilities), list(intents)
    random.shuffle(utilities)
    random.shuffle(shuffled)
    other = weights_for(shuffled, replace(scenario, utilities=tuple(utilities)), active)
    weights = weights_for(intents, scenario, active)
    assert all(other[k] == pytest.approx(weights[k], abs=UNIT) for k in weights)


@given(cases())
def test_asking_for_nothing_gives_the_base_weights_within_the_step(case):
    scenario, _, active = case
    weights = weights_for((), scenario, active)
    base = active if scenario.base == "active" else scenario.defaults
    if base.distance(active) <= scenario.guardrails.max_step:
        assert weights.distance(base) <= UNIT * len(weights)


@pytest.mark.parametrize("utility", HOME_FEED.utility_names)
def test_a_dominant_objective_becomes_the_largest_weight(utility):
    intent = Intent(utility=utility, direction=Direction.RAISE, emphasis=Emphasis.DOMINANT)
    weights = weights_for([intent], HOME_FEED, HOME_FEED.defaults)
    assert max(weights, key=lambda k: weights[k]) == utility


@pytest.mark.parametrize("utility", HOME_FEED.utility_names)
@pytest.mark.parametrize("emphasis", Emphasis)
def test_raise_and_lower_move_the_home_feed_off_its_default(utility, emphasis):
    default = HOME_FEED.defaults[utility]
    for direction, moved in ((Direction.RAISE, 1), (Direction.LOWER, -1)):
        intent = Intent(utility=utility, direction=direction, emphasis=emphasis)
        assert (weights_for([intent], HOME_FEED, HOME_FEED.defaults)[utility] - default) * moved > 0


def test_one_step_of_emphasis_moves_the_home_feed_by_at_most_a_quarter():
    for utility in HOME_FEED.utility_names:
        clear, dominant = (
            weights_for(
                [Intent(utility=utility, direction=Direction.RAISE, emphasis=e)],
                HOME_FEED,
                HOME_FEED.defaults,
            )
            for e in (Emphasis.CLEAR, Emphasis.DOMINANT)
        )
        assert clear.distance(dominant) <= 0.25
