"""Finding the phrases of a lexicon in a text, longest first, in one pass."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reward_llm.domain.interpretation import Span
from reward_llm.reading.lexicon import Entry

GAP_CHARS: Final = {True: 30, False: 10}
"""How many characters `…` spans at most, in an English phrase and in a Chinese one."""
_KEY_CHARS: Final = 2
_START: Final = re.compile(r"(?<![a-z0-9])[a-z0-9]|[^\sa-z0-9]")


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase of the lexicon at a place of the text."""

    entry: Entry
    span: Span


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A phrase by its part before the gap; `tail` is the gap and the rest of it."""

    head: str
    tail: re.Pattern[str] | None
    entry: Entry

    def ends(self, text: str, position: int) -> tuple[int, int] | None:
        """Where the head and the whole phrase end, if it stands at the position."""
        if not text.startswith(self.head, position):
            return None
        head_end = _word_end(text, position + len(self.head))
        if head_end is None:
            return None
        if self.tail is None:
            return head_end, head_end
        tail = self.tail.match(text, head_end)
        return (head_end, tail.end()) if tail else None


@dataclass(frozen=True, slots=True)
class Matcher:
    """The phrases, by their first characters."""

    _patterns: Mapping[str, Sequence[_Pattern]]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Matcher:
        """The matcher for these phrases; of two equal ones the first counts."""
        patterns: dict[str, list[_Pattern]] = defaultdict(list)
        for entry in entries:
            heads, _, tails = entry.phrase.partition("…")
            for head in heads.split("|"):
                tail = _tail(head, tails) if tails else None
                patterns[head[:_KEY_CHARS]].append(_Pattern(head, tail, entry))
        return cls(dict(patterns))

    def find(self, text: str) -> tuple[Match, ...]:
        """The phrases in normalised text, none inside another unless it stands in the other's gap."""
        found = []
        position = 0
        while start := _START.search(text, position):
            position = start.start()
            best = self._longest(text, position)
            if best is None:
                position += 1
                continue
            match, position = best
            found.append(match)
        return tuple(found)

    def _longest(self, text: str, position: int) -> tuple[Match, int] | None:
        """The longest phrase at the position, and where its head ends."""
        best: tuple[Match, int] | None = None
        key = text[position : position + _KEY_CHARS]
        for pattern in (*self._patterns.get(key, ()), *self._patterns.get(key[:1], ())):
            ends = pattern.ends(text, position)
            if ends and (best is None or ends[1] > best[0].span.end):
                best = Match(pattern.entry, Span(position, ends[1])), ends[0]
        return best


def _word_end(text: str, end: int) -> int | None:
    """The end of a word that runs to `end`, with its plural s; None if a longer word goes on."""
    if end == len(text) or not (_is_latin(text[end - 1]) and _is_latin(text[end])):
        return end
    plural = text[end] == "s" and (end + 1 == len(text) or not _is_latin(text[end + 1]))
    return end + 1 if plural else None


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _tail(head: str, tails: str) -> re.Pattern[str]:
    stop = r".。;；!！?？\n" if tails.startswith("…") else r",，.。;；!！?？\n"
    alternatives = "|".join(_bounded(w) for w in tails.lstrip("…").split("|"))
    return re.compile(rf"[^{stop}]{{0,{GAP_CHARS[head[0].isascii()]}}}?(?:{alternatives})")


def _bounded(word: str) -> str:
    before = "(?<![a-z0-9])" if _is_latin(word[0]) else ""
    after = "s?(?![a-z0-9])" if _is_latin(word[-1]) else ""
    return f"{before}{re.escape(word)}{after}"
