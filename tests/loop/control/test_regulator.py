from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.control import ControllerPlan, Gains, Hold, Memory
from reward_llm.domain.scenario import Bounds
from reward_llm.loop.control.regulator import regulate
from tests.loop.control.plans import plan

MINUTE_S = 60.0
FREE = plan(slew=1.0, dead_band=0.0, envelope=Bounds(min=0.0, max=1.0))


def step(
    of: ControllerPlan, memory: Memory, weight: float, measured: float, *, setpoint: float = 0.2, s: float = MINUTE_S
) -> tuple[float, Memory, Hold | None]:
    made = regulate(of, memory, weight, setpoint=setpoint, measured=measured, elapsed_s=s)
    return made.weight, made.memory, made.held


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_without_limits_it_is_the_textbooks_formula(measurements: list[float]) -> None:
    gains = Gains(proportional=0.01, integral=0.004, derivative=0.002)
    of = plan(gains=gains, slew=1.0, dead_band=0.0, envelope=Bounds(min=0.0, max=1.0))
    memory, weight, integral, last = Memory(integral=0.5), 0.5, 0.5, None
    for measured in measurements:
        error = 0.2 - measured
        integral += gains.integral * error
        rate = 0.0 if last is None else measured - last
        made = regulate(of, memory, weight, setpoint=0.2, measured=measured, elapsed_s=MINUTE_S)
        expected = gains.proportional * error + integral - gains.derivative * rate
        assert made.output == pytest.approx(expected)
        assert made.memory.integral == pytest.approx(integral)
        memory, weight, last = made.memory, made.weight, measured


@given(
    st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=20),
    st.floats(-2, 2),
    st.floats(-2, 2),
    st.floats(0.001, 0.2),
)
def test_it_never_leaves_the_envelope_or_goes_faster_than_it_may(
    measurements: list[float], proportional: float, integral: float, slew: float
) -> None:
    of = plan(gains=Gains(proportional=proportional, integral=integral), slew=slew)
    memory, weight = Memory(integral=0.1), 0.1
    for measured in measurements:
        after, memory, _ = step(of, memory, weight, measured)
        assert of.envelope.min <= after <= of.envelope.max
        assert abs(after - weight) <= slew + 1e-4
        assert of.envelope.min <= memory.integral <= of.envelope.max
        weight = after


def test_an_error_within_the_dead_band_moves_nothing_and_what_follows_starts_from_the_weight() -> None:
    weight, memory, held = step(plan(), Memory(integral=0.27), 0.1, 0.195)
    assert (weight, held) == (0.1, Hold.DEAD_BAND)
    assert memory.integral == 0.1
    after, _, _ = step(plan(), memory, weight, 0.189)
    assert abs(after - 0.1) < 0.001


def test_nothing_winds_up_behind_the_envelope() -> None:
    memory, weight = Memory(integral=0.28), 0.28
    for _ in range(100):
        weight, memory, _ = step(plan(), memory, weight, 0.05)
    assert weight == 0.3
    after, _, held = step(plan(), memory, weight, 0.3)
    assert held is None
    assert after < 0.3


def test_nothing_winds_up_behind_the_slew_limit() -> None:
    slow = plan(slew=0.001, gains=Gains(proportional=0.0, integral=0.1))
    memory, weight = Memory(integral=0.1), 0.1
    for _ in range(30):
        weight, memory, _ = step(slow, memory, weight, 0.05)
    assert memory.integral == pytest.approx(weight)
    after, _, _ = step(slow, memory, weight, 0.3)
    assert after < weight


def test_time_that_nobody_measured_counts_for_two_periods_at_most() -> None:
    _, short, _ = step(FREE, Memory(integral=0.1), 0.1, 0.1, s=2 * MINUTE_S)
    _, long, _ = step(FREE, Memory(integral=0.1), 0.1, 0.1, s=3_600.0)
    assert long == short
    of = plan(period=timedelta(minutes=5), slew=1.0)
    _, longer, _ = step(of, Memory(integral=0.1), 0.1, 0.1, s=3_600.0)
    assert longer.integral > long.integral


def test_a_wish_smaller_than_a_weights_last_decimal_is_kept_for_later() -> None:
    tiny = plan(gains=Gains(proportional=0.0, integral=0.0003), dead_band=0.0)
    memory, weight, helds = Memory(integral=0.1), 0.1, []
    for _ in range(4):
        weight, memory, held = step(tiny, memory, weight, 0.1)
        helds.append(held)
    assert Hold.SETTLED in helds
    assert None in helds
    assert memory.integral == pytest.approx(0.1 + 4 * 0.00003)


def test_gains_below_zero_move_the_other_way() -> None:
    down = plan(gains=Gains(proportional=-0.2, integral=-0.05))
    weight, _, _ = step(down, Memory(integral=0.1), 0.1, 0.1)
    assert weight < 0.1
