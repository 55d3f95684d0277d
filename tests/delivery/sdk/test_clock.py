from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.delivery.sdk.clock import DRIFT, LARGEST_HOLD_S, PUSHED_WITHIN_S, STEP_SAMPLES, ServerClock

EPOCH = 1_780_000_000.0
DELAYS = st.floats(0, 0.4)


class Time:
    """Both clocks of this machine, set by hand, and the service's."""

    def __init__(self, offset: float = EPOCH, wall: float = EPOCH) -> None:
        self.mono = 1_000.0
        self.offset = offset
        self.wall = wall
        self.clock = ServerClock(monotonic=lambda: self.mono, wall=lambda: self.wall + self.mono)

    @property
    def true(self) -> float:
        return self.mono + self.offset

    def ask(self, there: float = 0.0, back: float = 0.0, skew: float = 0.0) -> bool:
        sent = self.mono
        self.mono += there
        as_of = self.true + skew
        self.mono += back
        return self.clock.told(as_of, sent=sent, received=self.mono)

    def push(self, transit: float = 0.0, skew: float = 0.0) -> bool:
        as_of = self.true + skew
        self.mono += transit
        return self.clock.told(as_of, sent=None, received=self.mono)


def test_the_wall_clock_counts_until_a_service_tells_the_time() -> None:
    time = Time(wall=EPOCH + 500)
    assert time.clock.now() == pytest.approx(time.true + 500)
    assert (time.clock.skew_s, time.clock.error_s) == (None, None)
    time.ask(0.1, 0.1)
    assert time.clock.now() == pytest.approx(time.true, abs=0.11)
    assert time.clock.skew_s == pytest.approx(-500, abs=0.11)


def test_a_wall_clock_that_jumps_does_not_matter() -> None:
    time = Time()
    time.ask()
    time.wall += 3600
    assert time.clock.now() == pytest.approx(time.true, abs=0.01)
    assert time.clock.skew_s == pytest.approx(-3600, abs=0.01)


@given(
    delays=st.lists(st.tuples(DELAYS, DELAYS, st.floats(0, 60)), min_size=1, max_size=20), offset=st.floats(-1e6, 1e6)
)
def test_the_error_is_never_more_than_it_says(delays: list[tuple[float, float, float]], offset: float) -> None:
    time = Time(EPOCH + offset)
    time.ask(*delays[0][:2])
    for there, back, pause in delays:
        time.mono += pause
        time.ask(there, back)
        error_s = time.clock.error_s
        assert error_s is not None
        assert abs(time.clock.now() - time.true) <= error_s + 1e-6


@given(transits=st.lists(st.floats(0, PUSHED_WITHIN_S), max_size=40), drift=st.floats(-0.5 * DRIFT, 0.5 * DRIFT))
def test_notices_alone_keep_up_with_a_clock_that_runs_apart(transits: list[float], drift: float) -> None:
    time = Time()
    time.ask(0.01, 0.01)
    for transit in transits:
        time.mono += 300
        time.offset += drift * 300
        time.push(transit)
        assert abs(time.clock.now() - time.true) < PUSHED_WITHIN_S + 300 * DRIFT


@given(steps=st.lists(st.tuples(DELAYS, DELAYS, st.floats(-LARGEST_HOLD_S / 2, LARGEST_HOLD_S / 2), st.booleans())))
def test_the_time_never_goes_back_for_small_steps(steps: list[tuple[float, float, float, bool]]) -> None:
    time = Time()
    time.ask()
    shown = time.clock.now()
    for there, back, skew, pushed in steps:
        went_back = time.push(there, skew) if pushed else time.ask(there, back, skew)
        assert not went_back
        assert time.clock.now() >= shown
        shown = time.clock.now()
        time.mono += 0.05


def test_an_outlier_is_ignored() -> None:
    time = Time()
    for skew in (0, 3600, 0, -3600, 40, 0, 3600, 3600, 3600, 3600, 0):
        time.ask(0.001, 0.001, skew)
        assert time.clock.now() == pytest.approx(time.true, abs=0.01)


def test_of_two_services_with_different_clocks_the_first_counts() -> None:
    time = Time()
    for n in range(40):
        time.ask(0.001, 0.001, 3.0 * (n % 2))
        assert time.clock.now() == pytest.approx(time.true, abs=0.01)


def test_a_late_notice_is_an_outlier() -> None:
    time = Time()
    time.ask(0.01, 0.01)
    time.push(30.0)
    assert time.clock.now() == pytest.approx(time.true, abs=0.05)


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_a_clock_that_was_set_is_followed_once_several_say_so(step: float, caplog: pytest.LogCaptureFixture) -> None:
    time = Time()
    time.ask(0.001, 0.001)
    time.offset += step
    with caplog.at_level(logging.WARNING):
        went_back = [time.push(0.001) for _ in range(STEP_SAMPLES)]
    assert went_back == [False] * (STEP_SAMPLES - 1) + [step < 0]
    assert time.clock.now() == pytest.approx(time.true, abs=PUSHED_WITHIN_S + 0.01)
    assert "the service's clock was set" in caplog.text


def test_a_small_step_back_has_the_time_stand_still() -> None:
    time = Time()
    time.ask(0.001, 0.001)
    time.offset -= 2.0
    for _ in range(STEP_SAMPLES):
        time.ask(0.001, 0.001)
    shown = time.clock.now()
    time.mono += 1.0
    assert time.clock.now() == shown
    time.mono += 1.5
    assert time.clock.now() == pytest.approx(time.true, abs=0.01)
    assert time.clock.now() > shown


def test_times_that_cannot_be_are_not_believed() -> None:
    time = Time()
    time.ask()
    assert not time.clock.told(1e300, sent=1.0, received=2.0)
    assert not time.clock.told(time.true, sent=time.mono + 50, received=time.mono)
    assert time.clock.now() == pytest.approx(time.true, abs=0.01)
