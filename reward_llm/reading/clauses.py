"""A text cut into sentences and clauses, the reach of a cue."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reward_llm.domain.interpretation import Span

_BULLET: Final = re.compile(
    r"[ \t\u3000]*(?:[-•*·–]|[①-⑩]|\(?\d{1,2}[.)）、](?!\d)|[一二三四五六七八九十]、|KR\d[ :：.]?)*[ \t\u3000]*",
    re.IGNORECASE,
)
_SPEAKER: Final = re.compile(r"[\w@.]{1,16}(?: [A-Z][\w.]{0,15})?(?: \(\w{1,16}\))?[:：] ?(?=[^\d\s])")
_SENTENCE_END: Final = re.compile(
    r"[。！？!?；;\n…]+|\.(?=[\s\"'）)”』」]|$)|(?= [①-⑩])|(?=(?<=[^\d.%a-zA-Z(（])\d[)）](?!\d))"
)
_COLON: Final = re.compile(r"[ \t]*[:：]")
_CLAUSE_END: Final = re.compile(r"，|,(?!\d{3})| [-–] |—+|：|:(?=\s)")
_OPENER: Final = re.compile(
    r"(?<![a-z])(?:but|while|whilst|without|yet|however|as long as|provided|keeping|with no|so long as|rather than|"
    r"instead of|subject to|even if|even though|although|though|if that|because|in exchange for|for more|for better|"
    r"so that|to (?:boost|drive|grow|improve|increase|lift|raise|win)|just don't|"
    r"and (?:bring|don't|focus|get|give|go|grow|have|help|hold|keep|let|lift|make|push|put|raise|show|win|work))"
    r"(?![a-z])|但是|但(?!愿)|不过(?!分)|然而|同时|前提是|前提|而且|并且|只要|另外|以免|免得|哪怕|即使|而不是",
    re.IGNORECASE,
)

MAX_CLAUSE_CHARS: Final = 120
"""Longer stretches without punctuation are cut, so that the time to read a text grows in step with its length."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of text under one set of cues; `sentence` counts sentences from 0.

    A `heading` stands before a colon, and speaks of what follows it.
    """

    span: Span
    sentence: int
    heading: bool = False


@functools.lru_cache(maxsize=16)
def split_clauses(text: str) -> tuple[Clause, ...]:
    """The clauses of the text in order, without bullets and the names of speakers.

    >>> [c.span.of("Raise CTR, but keep GMV.") for c in split_clauses("Raise CTR, but keep GMV.")]
    ['Raise CTR', 'but keep GMV']
    """
    clauses = []
    for number, sentence in enumerate(_pieces(text, Span(0, len(text)), _SENTENCE_END)):
        body = Span(_skipped(text, sentence), sentence.end)
        for part in _pieces(text, body, _CLAUSE_END):
            for piece in _opened(text, part):
                heading = _COLON.match(text, piece.end) is not None
                clauses += [Clause(cut, number, heading) for cut in _cut(piece)]
    return tuple(clauses)


def _pieces(text: str, within: Span, separator: re.Pattern[str]) -> Iterator[Span]:
    start = within.start
    for match in separator.finditer(text, within.start, within.end):
        yield from _stripped(text, start, match.start())
        start = match.end()
    yield from _stripped(text, start, within.end)


def _opened(text: str, part: Span) -> Iterator[Span]:
    """Cut before the words that open a clause of their own."""
    start = part.start
    for match in _OPENER.finditer(text, part.start, part.end):
        yield from _stripped(text, start, match.start())
        start = match.start()
    yield from _stripped(text, start, part.end)


def _cut(piece: Span) -> Iterator[Span]:
    for start in range(piece.start, piece.end, MAX_CLAUSE_CHARS):
        yield Span(start, min(start + MAX_CLAUSE_CHARS, piece.end))


def _skipped(text: str, sentence: Span) -> int:
    """Where the sentence starts behind its bullet and its speaker."""
    start = sentence.start
    bullet = _BULLET.match(text, start, sentence.end)
    start = bullet.end() if bullet else start
    if sentence.start == 0 or text[sentence.start - 1] == "\n":
        speaker = _SPEAKER.match(text, start, sentence.end)
        start = speaker.end() if speaker and _is_name(speaker.group()) else start
    return start


def _is_name(label: str) -> bool:
    return label.startswith("@") or (label[:1].isupper() and label.rstrip(": ：").istitle())


def _stripped(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield Span(start, end)
