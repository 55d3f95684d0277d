"""A goal's text with the places marked that something was read from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place of the text, and what was read there."""

    start: int
    end: int
    kind: str
    """`intent`, `number` or `date`."""
    number: int = 0
    """Which intent, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Characters that have the same marks."""

    text: str
    marks: tuple[Mark, ...] = ()

    @property
    def intent(self) -> int | None:
        """The intent that they stand for, from 1; None for none."""
        return next((m.number for m in self.marks if m.kind == "intent"), None)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Everything that was read there, each kind once."""
        return tuple(dict.fromkeys(m.kind for m in self.marks))


def marks_of(goal: Document) -> list[Mark]:
    """What was read where in a goal: intents in their order, numbers and dates."""
    intents = (goal["interpretation"] or {}).get("intents", [])
    marks = [
        Mark(start=s["start"], end=s["end"], kind="intent", number=place)
        for place, intent in enumerate(intents, 1)
        for s in intent["spans"]
    ]
    for kind, found in (("number", goal["numbers"]), ("date", goal["dates"])):
        marks += [Mark(start=q["span"]["start"], end=q["span"]["end"], kind=kind) for q in found]
    return marks


def pieces(text: str, marks: Sequence[Mark]) -> list[Piece]:
    """The text cut wherever a mark begins or ends.

    >>> marks = [Mark(start=0, end=9, kind="intent", number=1), Mark(start=6, end=9, kind="number")]
    >>> [(p.text, p.intent, p.kinds) for p in pieces("GMV 上涨15%。", marks)]
    [('GMV 上涨', 1, ('intent',)), ('15%', 1, ('intent', 'number')), ('。', None, ())]
    """
    inside = [m for m in marks if 0 <= m.start < m.end <= len(text)]
    cuts = sorted({0, len(text), *(m.start for m in inside), *(m.end for m in inside)})
    return [
        Piece(text=text[start:end], marks=tuple(m for m in inside if m.start <= start and end <= m.end))
        for start, end in pairwise(cuts)
    ]
