from __future__ import annotations

import math

import pytest
from hypothesis import given

from reward_llm.domain.interpretation import Decision, Direction, Emphasis, Intent, Interpretation
from reward_llm.validation.gate import check
from tests.strategies import HOME_FEED, weights_within

DEFAULTS = HOME_FEED.defaults


def codes(weights, active=DEFAULTS, reading=None):
    return {v.code for v in check(weights, HOME_FEED, active, reading)}


def reading_of(utility, direction):
    intent = Intent(utility=utility, direction=direction, emphasis=Emphasis.CLEAR)
    return Interpretation(decision=Decision.PROPOSE, intents=(intent,))


def moved(**changes):
    return dict(DEFAULTS) | changes


def test_the_defaults_pass():
    assert codes(DEFAULTS) == set()


@pytest.mark.parametrize(
    ("weights", "code"),
    [
        ({k: v for k, v in DEFAULTS.items() if k != "click"}, "missing"),
        (moved(clicks=0.0), "unknown"),
        (moved(click=math.nan), "not_finite"),
        (moved(click=math.inf), "not_finite"),
        (moved(click=0.30), "simplex"),
        (moved(click=0.01, gmv=0.44), "bounds"),
        (moved(gmv=0.56, click=0.05, satisfaction=0.03, diversity=0.08, cold_start=0.08, group_order=0.05), "bounds"),
        (moved(click=0.05, gmv=0.40, satisfaction=0.30, diversity=0.02, cold_start=0.03), "step"),
        (moved(retention=0.13, click=0.27), "held"),
    ],
)
def test_each_rule_names_what_breaks_it(weights, code):
    assert code in codes(weights)


def test_a_violation_says_where_and_what():
    (violation,) = check(moved(retention=0.13, click=0.27), HOME_FEED, DEFAULTS)
    assert str(violation) == "weights/retention: 0.13 is below its held floor of 0.135"


@given(weights_within(HOME_FEED))
def test_the_step_is_measured_from_the_active_weights(active):
    far = DEFAULTS.distance(active) > HOME_FEED.guardrails.max_step + 7e-4
    assert ("step" in codes(DEFAULTS, active)) == far


@pytest.mark.parametrize(
    ("direction", "weights"),
    [(Direction.RAISE, moved(click=0.20, gmv=0.25)), (Direction.LOWER, moved(click=0.30, gmv=0.15))],
)
def test_weights_that_go_against_the_reading_are_found(direction, weights):
    assert codes(weights, reading=reading_of("click", direction)) == {"disagreement"}


def test_a_utility_that_the_goal_holds_keeps_its_floor():
    weights = moved(satisfaction=0.12, click=0.28)
    assert codes(weights) == set()
    assert codes(weights, reading=reading_of("satisfaction", Direction.HOLD)) == {"held"}
