"""Days that people name instead of dating: shopping festivals and holidays of both languages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

_THURSDAY: Final = 3
_SPRING_FESTIVALS: Final = {
    first.year: first
    for first in (
        date(2024, 2, 10),
        date(2025, 1, 29),
        date(2026, 2, 17),
        date(2027, 2, 6),
        date(2028, 1, 26),
        date(2029, 2, 13),
        date(2030, 2, 3),
        date(2031, 1, 23),
        date(2032, 2, 11),
        date(2033, 1, 31),
        date(2034, 2, 19),
        date(2035, 2, 8),
        date(2036, 1, 28),
        date(2037, 2, 15),
        date(2038, 2, 4),
        date(2039, 1, 24),
        date(2040, 2, 12),
    )
}
"""New Year of the Chinese calendar; other years aren't read."""

Days = tuple[date, date]
"""First day and the day after the last."""


def _fixed(month: int, day: int, days: int = 1) -> Callable[[int], Days | None]:
    return lambda year: (date(year, month, day), date(year, month, day) + timedelta(days=days))


def _spring_festival(year: int) -> Days | None:
    first = _SPRING_FESTIVALS.get(year)
    return (first, first + timedelta(days=7)) if first else None


def _after_thanksgiving(days: int) -> Callable[[int], Days | None]:
    def of(year: int) -> Days:
        first = date(year, 11, 1)
        thanksgiving = first + timedelta(days=(_THURSDAY - first.weekday()) % 7 + 21)
        return thanksgiving + timedelta(days=days), thanksgiving + timedelta(days=days + 1)

    return of


FESTIVALS: Final[dict[str, Callable[[int], Days | None]]] = {
    **dict.fromkeys(("618", "6.18"), _fixed(6, 18)),
    **dict.fromkeys(("818", "8.18"), _fixed(8, 18)),
    **dict.fromkeys(("双11", "双十一", "11.11", "singles day", "singles' day", "double 11"), _fixed(11, 11)),
    **dict.fromkeys(("双12", "双十二", "12.12", "double 12"), _fixed(12, 12)),
    **dict.fromkeys(("国庆", "十一黄金周", "national day", "golden week"), _fixed(10, 1, 7)),
    **dict.fromkeys(("春节", "chinese new year", "lunar new year", "spring festival"), _spring_festival),
    **dict.fromkeys(("元旦", "new year's day"), _fixed(1, 1)),
    **dict.fromkeys(("五一", "劳动节", "may day"), _fixed(5, 1)),
    **dict.fromkeys(("圣诞节", "圣诞", "christmas", "xmas"), _fixed(12, 25)),
    **dict.fromkeys(("情人节", "valentine's day"), _fixed(2, 14)),
    **dict.fromkeys(("万圣节", "halloween"), _fixed(10, 31)),
    **dict.fromkeys(("黑五", "black friday"), _after_thanksgiving(1)),
    **dict.fromkeys(("网络星期一", "cyber monday"), _after_thanksgiving(4)),
    **dict.fromkeys(("感恩节", "thanksgiving"), _after_thanksgiving(0)),
}
"""The days of a festival in a year, by its name; None where they aren't known."""
