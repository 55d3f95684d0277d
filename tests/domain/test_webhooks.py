from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.webhooks import (
    Attempt,
    DeliveryState,
    NextStep,
    RetrySchedule,
    Subscription,
    is_given_up,
    step_after,
)

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
FAILED = Attempt(at=NOON, duration_ms=1, status=500, error="answered 500")
DEAD = NextStep(state=DeliveryState.DEAD, due_at=NOON)
FRACTIONS = st.floats(0, 1, exclude_max=True)
SCHEDULE = RetrySchedule()


def wants(action: str, *wanted: str, scenario: str | None = None, chain: str = "", active: bool = True) -> bool:
    return Subscription(url="https://x.org", actions=wanted, scenario=scenario, active=active).wants(action, chain)


@pytest.mark.parametrize("wanted", [(), ("policy.",), ("policy.activated",), ("goal.", "policy.")])
def test_an_action_is_wanted_by_its_name_or_its_beginning_or_without_a_filter(wanted: tuple[str, ...]) -> None:
    assert wants("policy.activated", *wanted)


@pytest.mark.parametrize("wanted", ["policy", "policy.activ", "goal.", "policy.activated."])
def test_a_filter_is_a_whole_name_or_ends_with_its_dot(wanted: str) -> None:
    assert not wants("policy.activated", wanted)


def test_a_scenario_s_subscriber_hears_of_that_scenario_alone() -> None:
    assert wants("policy.edited", scenario="home_feed", chain="home_feed")
    assert not wants("policy.edited", scenario="home_feed", chain="video_feed")
    assert not wants("token.made", scenario="home_feed")


def test_an_inactive_subscriber_wants_nothing() -> None:
    assert not wants("policy.edited", active=False)


@given(st.integers(1, 20), FRACTIONS, FRACTIONS)
def test_pauses_grow_with_every_failure_whatever_chance_says(tries: int, now: float, later: float) -> None:
    pause, following = SCHEDULE.pause(tries, now), SCHEDULE.pause(tries + 1, later)
    assert (pause is None) == (tries >= SCHEDULE.tries)
    if pause is not None and following is not None:
        assert pause < following


@given(st.integers(1, SCHEDULE.tries - 1), FRACTIONS)
def test_a_pause_is_at_least_what_the_schedule_names_and_a_little_more_by_chance(tries: int, chance: float) -> None:
    pause = SCHEDULE.pause(tries, chance)
    named = timedelta(seconds=SCHEDULE.pauses_s[tries - 1])
    assert pause is not None
    assert named <= pause < named * (1 + SCHEDULE.jitter) + timedelta(microseconds=1)


@given(st.integers(1, SCHEDULE.tries - 1), FRACTIONS, st.floats(0, 1e9))
def test_a_receiver_s_wish_to_be_left_alone_is_kept_within_reason(tries: int, chance: float, wish_s: float) -> None:
    pause, unasked = SCHEDULE.pause(tries, chance, wish_s), SCHEDULE.pause(tries, chance)
    assert pause is not None
    assert unasked is not None
    longest = timedelta(seconds=max(SCHEDULE.pauses_s))
    assert pause >= max(unasked, min(timedelta(seconds=wish_s), longest) - timedelta(microseconds=1))
    assert pause <= max(unasked, longest)


def test_the_schedule_runs_from_ten_seconds_to_twelve_hours_in_ten_tries() -> None:
    assert (SCHEDULE.pauses_s[0], SCHEDULE.pauses_s[-1], SCHEDULE.tries) == (10, 43_200, 10)


@given(st.integers(1, 20), FRACTIONS)
def test_a_success_settles_a_delivery_whenever_it_comes(tries: int, chance: float) -> None:
    taken = Attempt(at=NOON, duration_ms=1, status=204)
    assert step_after(taken, tries, SCHEDULE, chance).state is DeliveryState.DELIVERED


def test_the_last_failure_kills_a_delivery_and_the_ones_before_dont() -> None:
    steps = [step_after(FAILED, tries, SCHEDULE, 0.0) for tries in range(1, 11)]
    assert [s.state for s in steps] == [DeliveryState.PENDING] * 9 + [DeliveryState.DEAD]
    assert [(s.due_at - NOON).total_seconds() for s in steps[:-1]] == list(SCHEDULE.pauses_s)


def test_who_is_gone_is_given_up_at_once() -> None:
    gone = Attempt(at=NOON, duration_ms=1, status=410, error="answered 410")
    step = step_after(gone, 1, SCHEDULE, 0.0)
    assert step.state is DeliveryState.DEAD
    assert is_given_up(gone, step, NOON, timedelta(days=5))


@given(st.timedeltas(timedelta(), timedelta(days=20)))
def test_who_failed_for_long_is_given_up_when_a_delivery_dies_and_not_before(failing: timedelta) -> None:
    after, since = timedelta(days=5), NOON - failing
    assert is_given_up(FAILED, DEAD, since, after) == (failing >= after)
    assert not is_given_up(FAILED, NextStep(state=DeliveryState.PENDING, due_at=NOON), since, after)
