"""Dates and windows in a text, as people write them in both languages."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Final

from reward_llm.domain.goal import Window
from reward_llm.domain.interpretation import DatedSpan, Span
from reward_llm.reading.named_days import NamedDays, find_days
from reward_llm.reading.text import normalise

_REACH: Final = 20
"""How far before a date the words are looked for that bound it."""


def find_windows(text: str, now: datetime) -> tuple[DatedSpan, ...]:
    """The dates and windows that the text names, in order, in the time zone of `now`.

    What has no year is the next to come, or the one that goes on; a week starts on Monday, and a window ends with
    the moment after its last day. Years outside 2000 to 2100 aren't read, nor lunar holidays except Spring Festival
    from 2024 to 2040.

    Args:
        text: The goal.
        now: With its UTC offset.

    >>> from datetime import UTC
    >>> [found] = find_windows("double sales before June 18", datetime(2026, 5, 1, tzinfo=UTC))
    >>> found.window.valid_from, found.window.valid_until.isoformat()
    (None, '2026-06-18T00:00:00+00:00')
    """
    normalised = normalise(text)
    found = []
    for named in _joined(normalised.text, find_days(normalised.text, now.date())):
        span, since, until = _bounded(normalised.text, named)
        window = Window(valid_from=_midnight(since, now), valid_until=_midnight(until, now))
        found.append(DatedSpan(span=normalised.original(span.start, span.end), window=window))
    return tuple(found)


def _midnight(day: date | None, now: datetime) -> datetime | None:
    return datetime.combine(day, time(), tzinfo=now.tzinfo) if day else None


_BETWEEN: Final = re.compile(r" ?(?:-|–|—|~|至|到|to|through|until|till) ?")
_AND: Final = re.compile(r" and ")
_BETWEEN_BEFORE: Final = re.compile(r"(?<![a-z])between $")


def _joined(text: str, named: list[NamedDays]) -> list[NamedDays]:
    """From one to another is one window."""
    joined: list[NamedDays] = []
    for item in named:
        first = joined[-1] if joined else None
        if first and _reaches(text, first, item):
            joined[-1] = NamedDays(first.start, item.end, (first.days[0], item.days[1]), range=True)
        else:
            joined.append(item)
    return joined


def _reaches(text: str, first: NamedDays, last: NamedDays) -> bool:
    if first.days[0] >= last.days[1]:
        return False
    if _BETWEEN.fullmatch(text, first.end, last.start):
        return True
    opened = _BETWEEN_BEFORE.search(text, max(0, first.start - _REACH), first.start)
    return bool(opened and _AND.fullmatch(text, first.end, last.start))


_UNTIL: Final = re.compile(
    r"(?<![a-z])(?:by|until|till|through|up to|no later than)(?: the)?(?: end of)? $|(?<![a-z])(?:the )?end of $|"
    r"(?:截至|截止|直到|到|至)$"
)
_BEFORE: Final = re.compile(r"(?<![a-z])before(?: the)? $")
_SINCE: Final = re.compile(r"(?<![a-z])(?:from|since|starting|starting on|as of) $|[从自]$")
_AFTER: Final = re.compile(r"(?<![a-z])after(?: the)? $")
_BEFORE_IT: Final = re.compile(r"之前|以前|前(?![面排后十])")
_SINCE_IT: Final = re.compile(r"起|开始|(?: onwards?)(?![a-z])")
_AFTER_IT: Final = re.compile(r"之后|以后")


def _bounded(text: str, named: NamedDays) -> tuple[Span, date | None, date | None]:
    """What the words around make of the days: the whole place, the first day and the day after the last."""
    first, after = named.days
    if named.range:
        return Span(named.start, named.end), first, after
    if named.deadline:
        first = after
    left = max(0, named.start - _REACH)
    before: list[tuple[re.Pattern[str], date | None, date | None]] = [
        (_UNTIL, None, after),
        (_BEFORE, None, first),
        (_SINCE, first, None),
        (_AFTER, after, None),
    ]
    behind: list[tuple[re.Pattern[str], date | None, date | None]] = [
        (_BEFORE_IT, None, first),
        (_SINCE_IT, first, None),
        (_AFTER_IT, after, None),
    ]
    for pattern, since, until in behind:
        if match := pattern.match(text, named.end):
            return Span(named.start, match.end()), since, until
    for pattern, since, until in before:
        if match := pattern.search(text, left, named.start):
            return Span(match.start(), named.end), since, until
    return Span(named.start, named.end), None if named.deadline else first, after
