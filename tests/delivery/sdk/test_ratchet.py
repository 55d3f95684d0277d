from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reward_llm.delivery.sdk.backoff import BASE_S, CAP_S, LONGEST_PATIENCE_S, Backoff
from reward_llm.delivery.sdk.ratchet import Ratchet

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def believing(revision: int = 7) -> Ratchet:
    ratchet = Ratchet(600.0)
    ratchet.believe(revision, NOON)
    return ratchet


def test_the_first_is_believed_whatever_it_is() -> None:
    assert Ratchet(600.0).admits(0, NOON, 0.0, same=False)


def test_newer_revisions_are_believed_whatever_the_clocks_say() -> None:
    assert believing().admits(8, later(-3600), 0.0, same=False)


def test_older_revisions_are_refused_and_counted() -> None:
    ratchet = believing()
    assert not ratchet.admits(6, later(3600), 0.0, same=False)
    assert not ratchet.admits(6, later(3600), 1.0, same=True)
    assert (ratchet.refused, ratchet.revision, ratchet.behind) == (2, 7, True)


def test_of_one_revision_only_a_later_answer_may_say_otherwise() -> None:
    ratchet = believing()
    assert not ratchet.admits(7, later(-1), 0.0, same=False)
    assert not ratchet.admits(7, NOON, 0.0, same=False)
    assert ratchet.admits(7, later(-1), 0.0, same=True)
    assert ratchet.admits(7, later(1), 0.0, same=False)


def test_what_was_confirmed_counts_as_said_then() -> None:
    ratchet = believing()
    ratchet.believe(7, later(10))
    ratchet.believe(7, later(5))
    assert ratchet.as_of == later(10)


def test_a_clock_that_was_set_back_begins_anew_within_a_revision() -> None:
    ratchet = believing()
    ratchet.forget_time()
    assert ratchet.admits(7, later(-3600), 0.0, same=False)
    assert not ratchet.admits(6, later(3600), 0.0, same=False)


def test_after_nothing_but_older_answers_for_long_they_are_believed() -> None:
    ratchet = believing()
    assert not ratchet.admits(3, NOON, 1_000.0, same=False)
    assert not ratchet.admits(4, NOON, 1_599.0, same=False)
    assert ratchet.admits(3, NOON, 1_600.0, same=False)
    ratchet.believe(3, NOON)
    assert (ratchet.revision, ratchet.behind) == (3, False)


def test_one_answer_that_is_not_older_begins_the_time_anew() -> None:
    ratchet = believing()
    assert not ratchet.admits(3, NOON, 1_000.0, same=False)
    assert ratchet.admits(7, NOON, 1_500.0, same=True)
    assert not ratchet.admits(3, NOON, 1_700.0, same=False)


@given(answers=st.lists(st.tuples(st.integers(0, 5), st.integers(-5, 5), st.booleans()), max_size=50))
def test_revisions_never_go_back_while_time_is_short(answers: list[tuple[int, int, bool]]) -> None:
    ratchet = Ratchet(600.0)
    for n, (revision, seconds, same) in enumerate(answers):
        before = ratchet.revision
        if ratchet.admits(revision, later(seconds), float(n), same=same):
            ratchet.believe(revision, later(seconds))
        assert before is None or (ratchet.revision or 0) >= before


def test_waits_double_up_to_a_bound_and_are_spread_over_all_of_it() -> None:
    longest = Backoff(chance=lambda: 1.0)
    assert [longest.failed() for _ in range(9)] == [min(CAP_S, BASE_S * 2**n) for n in range(9)]
    assert Backoff(chance=lambda: 0.0).failed() == 0
    longest.succeeded()
    assert longest.failed() == BASE_S
    for _ in range(5_000):
        assert longest.failed() <= CAP_S


@given(asked=st.floats(0, 1e9), chance=st.floats(0, 1))
def test_the_service_is_never_asked_sooner_than_it_wants(asked: float, chance: float) -> None:
    assert Backoff(chance=lambda: chance).failed(asked) >= min(asked, LONGEST_PATIENCE_S)


@given(seconds=st.floats(0.1, 100), chance=st.floats(0, 1))
def test_polls_are_spread_by_a_fifth(seconds: float, chance: float) -> None:
    assert 0.799 * seconds <= Backoff(chance=lambda: chance).spread(seconds) <= 1.201 * seconds
