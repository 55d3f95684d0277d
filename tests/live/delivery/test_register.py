from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.live.delivery.register import Operation, initially, violations


def write(value: int, begin: float, end: float) -> Operation:
    return Operation(value=value, begin=begin, end=end, is_write=True)


def read(value: int, begin: float, end: float) -> Operation:
    return Operation(value=value, begin=begin, end=end)


GOOD = {
    "nothing happens": [],
    "reads after writes": [initially(0), read(0, 0, 1), write(1, 2, 3), read(1, 4, 5)],
    "either value is read during a write": [initially(0), write(1, 0, 9), read(0, 1, 2), read(1, 3, 4)],
    "writes that overlap take effect in either order": [
        initially(0), write(1, 0, 5), write(2, 1, 4), read(2, 6, 7), read(2, 8, 9),
    ],
    "a write that never ended may have happened": [
        initially(0), Operation(value=1, begin=0, is_write=True), read(0, 1, 2), read(1, 3, 4),
    ],
    "reads that overlap see an old and a new value": [initially(0), write(1, 0, 9), read(1, 1, 5), read(0, 2, 6)],
}  # fmt: skip
BAD = {
    "a value of nobody's": [initially(0), read(7, 0, 1)],
    "a value before it was written": [initially(0), read(1, 0, 1), write(1, 2, 3)],
    "a value that was overwritten": [initially(0), write(1, 0, 1), write(2, 2, 3), read(1, 4, 5)],
    "the first value after a write": [initially(0), write(1, 0, 1), read(0, 2, 3)],
    "new, then old, while both were being written": [
        initially(0), write(1, 0, 9), read(1, 1, 2), read(0, 3, 4),
    ],
    "two readers that disagree on the order of two writes": [
        initially(0), write(1, 0, 9), write(2, 0, 9), read(1, 10, 11), read(2, 12, 13),
    ],
    "back and forth during two writes": [
        initially(0), write(1, 0, 9), write(2, 0, 9), read(1, 1, 2), read(2, 3, 4), read(1, 5, 6),
    ],
}  # fmt: skip


@pytest.mark.parametrize("history", GOOD.values(), ids=GOOD)
def test_what_could_have_happened_one_after_the_other_is_taken(history):
    assert violations(history) == []
    assert can_be_ordered(history)


@pytest.mark.parametrize("history", BAD.values(), ids=BAD)
def test_what_could_not_have_is_told(history):
    assert violations(history)
    assert not can_be_ordered(history)


def test_a_value_that_is_written_twice_says_nothing():
    with pytest.raises(ValueError, match="2 times"):
        violations([write(1, 0, 1), write(1, 2, 3)])


def can_be_ordered(history: list[Operation], held: int | None = None) -> bool:
    """Every order that respects which operation came before which (Wing and Gong 1993), tried one by one."""
    if not history:
        return True
    for operation in history:
        rest = [o for o in history if o is not operation]
        fits = operation.is_write or operation.value == held
        if fits and not any(o.precedes(operation) for o in rest) and can_be_ordered(rest, operation.value):
            return True
    return False


@st.composite
def histories(draw: st.DrawFn) -> list[Operation]:
    """A few operations at small whole times, so that many of them overlap or touch."""
    made = [initially(0)]
    values = draw(st.integers(0, 2))
    for value in [*range(1, values + 1), *draw(st.lists(st.integers(0, values), max_size=4))]:
        begin = draw(st.integers(0, 8))
        is_write = len(made) <= values
        made.append(Operation(value=value, begin=begin, end=begin + draw(st.integers(0, 4)), is_write=is_write))
    return made


@given(histories())
def test_the_checker_agrees_with_trying_every_order(history):
    assert (violations(history) == []) == can_be_ordered(history)
