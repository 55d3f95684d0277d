from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.activation import Activation, Ending
from reward_llm.domain.edges import EdgeKind, edges_between, edges_of
from reward_llm.domain.goal import Window
from tests.domain.test_memory import policy

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BEGAN, EXPIRED = EdgeKind.BEGAN, EdgeKind.EXPIRED


def planned(start: int | None, end: int | None, *, ended: int | None = None) -> Activation:
    """Made at noon, for hours after that."""
    return Activation(
        sequence=1,
        policy=policy(),
        window=Window(
            valid_from=None if start is None else NOON + start * HOUR,
            valid_until=None if end is None else NOON + end * HOUR,
        ),
        activated_at=NOON,
        activated_by="ann",
        ended=None if ended is None else Ending(at=NOON + ended * HOUR, by="bob"),
    )


def told(activation: Activation) -> list[tuple[EdgeKind, int]]:
    return [(edge.kind, (edge.at - NOON) // HOUR) for edge in edges_of(activation)]


def test_what_begins_later_and_ends_by_itself_has_two_edges() -> None:
    assert told(planned(1, 3)) == [(BEGAN, 1), (EXPIRED, 3)]


def test_what_somebody_does_at_that_moment_is_no_edge() -> None:
    assert told(planned(None, None)) == []
    assert told(planned(None, 3)) == [(EXPIRED, 3)]
    assert told(planned(1, None)) == [(BEGAN, 1)]
    assert told(planned(1, 3, ended=2)) == [(BEGAN, 1)]
    assert told(planned(1, None, ended=2)) == [(BEGAN, 1)]


def test_what_was_cancelled_before_it_began_has_none() -> None:
    assert told(planned(2, 3, ended=1)) == []
    assert told(planned(2, 3, ended=2)) == []


def test_an_edge_that_was_moved_is_another_one() -> None:
    (began, _), (moved, _) = (tuple(edges_of(planned(start, 5))) for start in (1, 2))
    assert began.key != moved.key
    assert began.key == next(edges_of(replace(began.activation, revision=2))).key


hours = st.none() | st.integers(0, 9)


@given(st.lists(st.tuples(hours, st.none() | st.integers(10, 19), hours), max_size=5), st.integers(-1, 20))
def test_every_edge_is_in_one_of_two_stretches_that_meet(
    plans: list[tuple[int | None, int | None, int | None]], cut: int
) -> None:
    activations = [replace(planned(s, e, ended=x), sequence=n) for n, (s, e, x) in enumerate(plans)]
    first, last, middle = NOON - HOUR, NOON + 30 * HOUR, NOON + cut * HOUR
    halves = [edges_between(activations, *pair) for pair in ((first, middle), (middle, last))]
    whole = edges_between(activations, first, last)
    assert [*halves[0], *halves[1]] == whole
    assert len({edge.key for edge in whole}) == len(whole)
