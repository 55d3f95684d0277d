"""Where the parts of an answer stand in its text, and how sure the model was of each."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from reward_llm.domain.completion import Choice
from reward_llm.domain.interpretation import Span

_FIELDS: Final = ("utility", "direction", "emphasis")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentPlaces:
    """An intent's object, and its values without their quotes."""

    whole: Span
    utility: Span
    direction: Span
    emphasis: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPlaces:
    """The decision's value, the intents, and the bracket that ends their list."""

    decision: Span
    intents: tuple[IntentPlaces, ...]
    end: Span

    def intent_probability(self, number: int, choices: Sequence[Choice]) -> float | None:
        """That of an intent's being there, with its utility and direction; None if the model told nothing of it.

        Its emphasis doesn't count: it says how far a weight moves, not which one, and not where to.
        """
        places = self.intents[number]
        inside = [c for c in choices if _overlaps(c, places.whole) and not _overlaps(c, places.emphasis)]
        return _product([*(c for c in choices if _overlaps(c, self.decision)), *inside]) if inside else None

    def completeness(self, choices: Sequence[Choice]) -> float | None:
        """That of the list's ending where it does; of an empty one, that of deciding so as well."""
        parts = (self.end,) if self.intents else (self.decision, self.end)
        return _product([c for c in choices if any(_overlaps(c, p) for p in parts)])


def find_places(text: str, intents: int) -> AnswerPlaces | None:
    """The places of a valid answer with so many intents; None if it spells its keys in escapes."""
    decision, listed = _value(text, "decision"), re.search(r'"intents"\s*:\s*\[', text)
    if decision is None or listed is None:
        return None
    found, position = [], listed.end()
    decoder = json.JSONDecoder()
    for _ in range(intents):
        start = text.index("{", position)
        _, position = decoder.raw_decode(text, start)
        utility, direction, emphasis = (_value(text, field, start, position) for field in _FIELDS)
        if utility is None or direction is None or emphasis is None:
            return None
        whole = Span(start, position)
        found.append(IntentPlaces(whole=whole, utility=utility, direction=direction, emphasis=emphasis))
    end = text.index("]", position)
    return AnswerPlaces(decision=decision, intents=tuple(found), end=Span(end, end + 1))


def _value(text: str, key: str, start: int = 0, end: int | None = None) -> Span | None:
    match = re.compile(rf'"{key}"\s*:\s*"([^"]*)"').search(text, start, len(text) if end is None else end)
    return Span(*match.span(1)) if match else None


def _overlaps(choice: Choice, span: Span) -> bool:
    return Span(choice.start, choice.end).overlaps(span)


def _product(choices: Iterable[Choice]) -> float | None:
    probabilities = [c.probability for c in choices]
    return math.prod(probabilities) if probabilities else None
