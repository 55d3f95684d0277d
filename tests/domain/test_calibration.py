from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.calibration import Calibration, Scaling, logit, sigmoid
from reward_llm.domain.interpretation import Decision, Direction, Emphasis, Intent, Interpretation
from reward_llm.domain.review import ReviewReason
from tests.choices import unscaled

PROBABILITIES = st.floats(0, 1)
SCALINGS = st.builds(Scaling, slope=st.floats(0, 50), intercept=st.floats(-50, 50))


def reading(*confidences: float | None, completeness: float | None = None) -> Interpretation:
    utilities = ("click", "gmv", "retention")
    intents = tuple(
        Intent(utility=u, direction=Direction.RAISE, emphasis=Emphasis.CLEAR, confidence=c)
        for u, c in zip(utilities, confidences, strict=False)
    )
    decision = Decision.PROPOSE if intents else Decision.NO_CHANGE
    return Interpretation(decision=decision, intents=intents, completeness=completeness)


@given(SCALINGS, PROBABILITIES, PROBABILITIES)
def test_a_scaling_is_monotone_and_gives_probabilities(scaling, first, second):
    low, high = sorted((first, second))
    assert 0 <= scaling(low) <= scaling(high) <= 1


@given(PROBABILITIES)
def test_without_slope_and_intercept_of_its_own_a_scaling_changes_nothing(probability):
    assert Scaling()(probability) == pytest.approx(probability, abs=2e-6)


@given(st.floats(-1e4, 1e4))
def test_log_odds_of_any_size_have_a_probability(log_odds):
    assert 0 <= sigmoid(log_odds) <= 1
    if abs(log_odds) < 10:
        assert math.isclose(logit(sigmoid(log_odds)), log_odds, abs_tol=1e-6)


def test_each_part_of_a_reading_has_a_map_of_its_own():
    half, third, tenth = (Scaling(slope=0.0, intercept=logit(p)) for p in (1 / 2, 1 / 3, 1 / 10))
    calibration = Calibration(intent=half, completeness=third, no_change=tenth, threshold=0.0)
    proposed = calibration.apply(reading(0.9, None, completeness=0.9))
    assert [i.confidence for i in proposed.intents] == [pytest.approx(1 / 2), None]
    assert proposed.completeness == pytest.approx(1 / 3)
    assert calibration.apply(reading(completeness=0.9)).completeness == pytest.approx(1 / 10)
    assert proposed.calibrated


@pytest.mark.parametrize(
    ("read", "doubt"),
    [
        (reading(0.9, 0.95, completeness=0.8), None),
        (reading(0.9, 0.79, completeness=0.9), ReviewReason.LOW_CONFIDENCE),
        (reading(0.9, completeness=0.5), ReviewReason.LOW_CONFIDENCE),
        (reading(completeness=0.5), ReviewReason.LOW_CONFIDENCE),
        (reading(None), ReviewReason.NO_CONFIDENCE),
        (reading(None, 0.9), None),
    ],
)
def test_a_reading_is_as_sure_as_its_least_certain_part(read, doubt):
    assert unscaled(0.8).doubt(read) is doubt
