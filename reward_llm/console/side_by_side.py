"""Two texts line by line in two columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Final, Literal

CONTEXT_LINES: Final = 3
"""How many equal lines are shown around what differs."""
Kind = Literal["same", "changed", "removed", "added", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: the line of either text with its number from 1, or None on the side that has none.

    A `skipped` row stands for equal lines that aren't shown; `count` is how many.
    """

    kind: Kind
    left: str | None = None
    right: str | None = None
    left_number: int | None = None
    right_number: int | None = None
    count: int = 0


def side_by_side(before: str, after: str) -> list[Row]:
    r"""The rows of two texts, without equal lines far from any other.

    >>> [(r.kind, r.left, r.right) for r in side_by_side("a\nb", "a\nc\nd")]
    [('same', 'a', 'a'), ('changed', 'b', 'c'), ('added', None, 'd')]
    >>> side_by_side("a", "a")
    []
    """
    if before == after:
        return []
    left, right = before.splitlines(), after.splitlines()
    rows: list[Row] = []
    operations = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    for number, (tag, i1, i2, j1, j2) in enumerate(operations):
        pairs = list(_paired(left, right, (i1, i2), (j1, j2)))
        if tag == "equal":
            rows += _shortened(pairs, is_first=number == 0, is_last=number == len(operations) - 1)
        else:
            rows += pairs
    return rows


def _paired(
    left: Sequence[str], right: Sequence[str], of_left: tuple[int, int], of_right: tuple[int, int]
) -> Iterator[Row]:
    for i, j in zip_longest(range(*of_left), range(*of_right)):
        here = None if i is None else left[i]
        there = None if j is None else right[j]
        yield Row(
            kind=_kind(here, there),
            left=here,
            right=there,
            left_number=None if i is None else i + 1,
            right_number=None if j is None else j + 1,
        )


def _kind(left: str | None, right: str | None) -> Kind:
    if left is None:
        return "added"
    if right is None:
        return "removed"
    return "same" if left == right else "changed"


def _shortened(rows: list[Row], *, is_first: bool, is_last: bool) -> list[Row]:
    head = 0 if is_first else CONTEXT_LINES
    tail = 0 if is_last else CONTEXT_LINES
    left_out = len(rows) - head - tail
    if left_out <= 1:
        return rows
    return [*rows[:head], Row(kind="skipped", count=left_out), *rows[len(rows) - tail :]]
