"""A goal's text with the places that its reading rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from reward_llm.domain.interpretation import Intent


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Characters that the same intents rest on, by the intents' numbers from 1; `ends` are those that end here."""

    text: str
    intents: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()


def pieces(text: str, intents: Sequence[Intent]) -> tuple[Piece, ...]:
    """The text cut where evidence begins and ends; spans may overlap, and what lies outside the text is cut off.

    >>> from reward_llm.domain.interpretation import Direction, Emphasis, Span
    >>> more = Intent(utility="gmv", direction=Direction.RAISE, emphasis=Emphasis.CLEAR, spans=(Span(5, 8),))
    >>> [(p.text, p.intents) for p in pieces("more GMV", [more])]
    [('more ', ()), ('GMV', (1,))]
    """
    spans = [
        (number, max(span.start, 0), min(span.end, len(text)))
        for number, intent in enumerate(intents, 1)
        for span in intent.spans
    ]
    spans = [(number, start, end) for number, start, end in spans if start < end]
    cuts = sorted({0, len(text), *(start for _, start, _ in spans), *(end for _, _, end in spans)})
    return tuple(
        Piece(
            text=text[start:end],
            intents=tuple(sorted({n for n, first, last in spans if first <= start and end <= last})),
            ends=tuple(sorted({n for n, _, last in spans if last == end})),
        )
        for start, end in pairwise(cuts)
    )
