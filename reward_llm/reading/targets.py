"""Which quantity states the target of what was said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from reward_llm.domain.interpretation import Quantity, Span
from reward_llm.reading.clauses import split_clauses

_MOVE: Final = re.compile(r"->|→|=>|(?<![a-z])to(?![a-z])|到|至")
_LONGEST_MOVE: Final = 16
_AND: Final = re.compile(r"(?<![a-z])(?:and|but|while)(?![a-z])|[,;，；、]|并|且|同时|而|但", re.IGNORECASE)
"""What ends the reach of a quantity over the words behind it."""


def target_for(spans: Sequence[Span], quantities: Sequence[Quantity], text: str) -> Quantity | None:
    """The nearest quantity behind one of the spans within their clause, else the nearest before them.

    Of a move from one value to another it's the second.
    """
    if not spans:
        return None
    clauses = [c.span for c in split_clauses(text) if any(c.span.overlaps(s) for s in spans)]
    near = [q for q in quantities if any(c.overlaps(q.span) for c in clauses)]
    following = [(q.span.start - s.end, i) for i, q in enumerate(near) for s in spans if q.span.start >= s.end]
    if following:
        return _end_of_move(near, min(following)[1], text)
    preceding = [q for q in near if not any(_AND.search(text[q.span.end : s.start]) for s in spans)]
    return preceding[-1] if preceding else None


def _end_of_move(quantities: Sequence[Quantity], index: int, text: str) -> Quantity:
    if index + 1 == len(quantities):
        return quantities[index]
    first, second = quantities[index : index + 2]
    between = text[first.span.end : second.span.start]
    moves = len(between) <= _LONGEST_MOVE and _MOVE.search(between) is not None
    return second if moves else first
