from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.activation import Activation, EndingKind
from reward_llm.domain.schedule import conflicts, includes, live, stack, takeovers, winner, winners_first
from tests.activations import ALL, NOON, activation, at, moment, schedules

OF_ONE_SCOPE = schedules(scopes=(ALL,))
UNITS = st.sampled_from([None, "ann", "bo", "cy"])
HALF_MINUTES = [moment(m / 2) for m in range(-30, 40)]


def obvious_winner(made: list[Activation], when: datetime, unit: str | None) -> Activation | None:
    best = None
    for a in made:
        begins = a.activated_at if a.window.valid_from is None else max(a.window.valid_from, a.activated_at)
        over = (a.window.valid_until is not None and when >= a.window.valid_until) or (
            a.ended is not None and when >= a.ended.at
        )
        if when >= begins and not over and includes(a, unit):
            best = a if best is None or (begins, a.sequence) > (best.start, best.sequence) else best
    return best


@given(made=OF_ONE_SCOPE, unit=UNITS, when=st.sampled_from(HALF_MINUTES))
def test_the_winner_is_what_trying_every_activation_finds(made, unit, when):
    assert winner(winners_first(made), when, unit) == obvious_winner(made, when, unit)


@given(made=OF_ONE_SCOPE, unit=UNITS, when=st.sampled_from(HALF_MINUTES))
def test_the_winner_holds_until_the_first_takeover_and_no_longer(made, unit, when):
    ordered = winners_first(made)
    holder = winner(ordered, when, unit)
    until = min(takeovers(ordered, holder, when, unit), default=None)
    for later in (when + timedelta(seconds=30 * i) for i in range(60)):
        if until is None or later < until:
            assert winner(ordered, later, unit) == holder
    if until is not None:
        assert winner(ordered, until, unit) != holder


@given(made=OF_ONE_SCOPE, unit=UNITS, now=st.sampled_from(HALF_MINUTES))
def test_what_is_left_out_as_dead_never_wins_again(made, unit, now):
    alive = live(winners_first(made), now)
    for later in (m for m in HALF_MINUTES if m >= now):
        assert winner(alive, later, unit) == winner(winners_first(made), later, unit)


@given(made=OF_ONE_SCOPE, ended=st.integers(-6, 6))
def test_a_cancelled_schedule_is_never_served(made, ended):
    cancelled = activation(99, start=7, end=None, made=-6, ended=ended)
    for when in HALF_MINUTES:
        for unit in (None, "ann"):
            assert winner(winners_first([*made, cancelled]), when, unit) is not cancelled


def test_a_bounded_promotion_ends_and_the_earlier_policy_returns():
    base, sale = activation(1), activation(2, start=10, end=20)
    served = [winner(winners_first([base, sale]), moment(m)) for m in (0, 10, 19, 20)]
    assert served == [base, sale, sale, base]


def test_a_scheduled_promotion_begins_over_a_base_that_was_activated_later():
    sale, base = activation(1, start=10, end=20), activation(2, made=5)
    assert winner(winners_first([sale, base]), moment(10)) == sale
    assert winner(winners_first([sale, base]), moment(20)) == base


def test_the_stack_has_partial_rollouts_as_well_and_begins_with_the_winner():
    base, canary, coming = activation(1), activation(2, made=1, percent=5), activation(3, start=9)
    assert stack([base, coming, canary], moment(2)) == (canary, base)


def remaining(a: Activation, now: datetime) -> set[datetime]:
    """The whole minutes that an activation has left, up to an horizon past everything that ends."""
    minutes = (NOON + timedelta(minutes=m) for m in range(-12, 40))
    return {m for m in minutes if m >= now and a.covers(m)}


@given(planned=schedules(scopes=(ALL,), most=1), others=OF_ONE_SCOPE, now=st.integers(-8, 8))
def test_conflicts_are_what_comparing_every_minute_finds(planned, others, now):
    for one in planned:
        new = activation(100, start=minutes(one.window.valid_from), end=minutes(one.window.valid_until), made=now)
        found = {o.activation.sequence for o in conflicts(new, others, moment(now))}
        expected = set()
        for other in others:
            earlier = min(new, other, key=lambda a: (a.start, a.sequence))
            if remaining(new, moment(now)) & remaining(other, moment(now)) and earlier.end is not None:
                expected.add(other.sequence)
        assert found == expected


def minutes(when: datetime | None) -> float | None:
    return None if when is None else (when - NOON).total_seconds() / 60


@pytest.mark.parametrize(
    ("planned", "other", "overlap"),
    [
        ((0, None), (10, 20), None),
        ((10, 20), (0, None), None),
        ((0, 10), (10, 20), None),
        ((0, 15), (10, 20), (10, 15)),
        ((10, 20), (0, 15), (10, 15)),
        ((10, 20), (10, None), None),
        ((10, None), (10, 20), (10, 20)),
        ((0, 15), (10, None), (10, 15)),
        ((5, 6), (0, 60), (5, 6)),
    ],
)
def test_only_a_window_that_would_be_interrupted_is_in_conflict(planned, other, overlap):
    new = activation(2, start=planned[0], end=planned[1])
    existing = activation(1, start=other[0], end=other[1])
    found = [(o.since, o.until) for o in conflicts(new, [existing], NOON)]
    assert found == ([] if overlap is None else [(at(overlap[0]), at(overlap[1]))])


def test_partial_rollouts_conflict_as_well_and_what_is_over_does_not():
    canary = activation(1, end=30, percent=5)
    gone = activation(2, end=30, ended=-1, kind=EndingKind.ROLLED_BACK)
    (only,) = conflicts(activation(3, start=5, end=10), [canary, gone], NOON)
    assert only.activation == canary
