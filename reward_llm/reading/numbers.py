"""Quantities in a text: counts, money, shares, points and factors, as people write them in both languages.

Numbers that are names stay unread: dates and days (618, 11月3日, D7, 30日留存), quarters, times, ticket numbers,
versions, addresses, list numbering. So do numbers of more than `MAX_DIGITS` digits or over `MAX_VALUE`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from reward_llm.domain.interpretation import Quantity, Span, Unit
from reward_llm.reading.number_patterns import CURRENCIES, FACTORS, FRACTIONS, MAX_DIGITS, SCALES, TOKENS, UNITS
from reward_llm.reading.number_words import chinese_number, english_number
from reward_llm.reading.text import normalise

__all__ = ["MAX_DIGITS", "MAX_VALUE", "find_quantities"]

MAX_VALUE: Final = 1e15

_RANGE: Final = re.compile(r" ?(?:-+>?|~|–|—|→|至|到|to|and) ?")


def find_quantities(text: str) -> tuple[Quantity, ...]:
    """The quantities in the text, in order.

    A yen sign is read as CNY, and 一倍 (twice as much) as the factor 2.

    >>> [(q.value, q.unit.value) for q in find_quantities("GMV目标1亿，次日留存不低于65%")]
    [(100000000.0, 'count'), (0.65, 'percent')]
    """
    normalised = normalise(text)
    found: list[Quantity] = []
    for match in TOKENS.finditer(normalised.text):
        read = _READERS.get(match.lastgroup or "")
        quantity = read(match) if read else None
        if quantity and abs(quantity.value) <= MAX_VALUE:
            found.append(quantity)
    shared = _with_shared_units(found, normalised.text)
    grown = (_grown(quantity, normalised.text) for quantity in shared)
    return tuple(replace(q, span=normalised.original(q.span.start, q.span.end)) for q in grown)


def _with_shared_units(found: list[Quantity], text: str) -> list[Quantity]:
    """Give the first number of a range its unit: 4-5% is from 4 % to 5 %."""
    for index in range(len(found) - 1, 0, -1):
        first, second = found[index - 1], found[index]
        between = text[first.span.end : second.span.start]
        if first.unit is Unit.COUNT and second.unit in _SHARED_FACTOR and _RANGE.fullmatch(between):
            value = first.value * _SHARED_FACTOR[second.unit]
            found[index - 1] = replace(first, value=value, unit=second.unit)
    return found


def _grown(quantity: Quantity, text: str) -> Quantity:
    """Count what was there before in: to grow by two times (提升2倍) is to become three times as much."""
    if not _TIMES_MORE.fullmatch(text, quantity.span.start, quantity.span.end):
        return quantity
    more = _GROWTH.search(text[: quantity.span.start])
    return replace(quantity, value=quantity.value + 1) if more else quantity


_TIMES_MORE: Final = re.compile(r"(?!一倍|翻).+倍")
_GROWTH: Final = re.compile(r"(?:[提上]升|提高|增[长加]|上涨|涨|翻|多)了? ?$")
_SHARED_FACTOR: Final = {Unit.PERCENT: 0.01, Unit.POINTS: 0.01, Unit.MULTIPLE: 1.0}


def _quantity(
    match: re.Match[str], number: float | None, unit: str | None = None, before: str | None = None
) -> Quantity | None:
    if number is None:
        return None
    word = (unit or "").strip(" -") or None
    currency = CURRENCIES.get(before or "") or CURRENCIES.get(word or "")
    kind, factor = UNITS.get(word or "", (Unit.COUNT, 1.0))
    if currency:
        kind, factor = Unit.MONEY, 1.0
    return Quantity(value=_scaled(number, factor), unit=kind, span=Span(*match.span()), currency=currency)


def _scaled(number: float, factor: float) -> float:
    """The product without binary dust: 15 times 0.01 is 0.15."""
    return number if factor == 1 else float(f"{number * factor:.12g}")


def _share(match: re.Match[str]) -> Quantity | None:
    whole, part = match["share"].split("分之")[0], match["part"]
    number = float(part.replace(",", "")) if part[0].isdigit() else chinese_number(part)
    whole_value = {"百": 100.0, "千": 1e3, "万": 1e4}.get(whole) or chinese_number(whole)
    if number is None or not whole_value:
        return None
    return Quantity(value=_scaled(number, 1 / whole_value), unit=Unit.PERCENT, span=Span(*match.span()))


def _tenths(match: re.Match[str]) -> Quantity | None:
    tenth, more = match["tenth"], match["more"]
    number = float(tenth) if tenth[0].isdigit() else chinese_number(tenth)
    rest = 5.0 if more == "半" else chinese_number(more) if more else 0.0
    if number is None or rest is None:
        return None
    return Quantity(value=_scaled(number * 10 + rest, 0.01), unit=Unit.PERCENT, span=Span(*match.span()))


def _half(match: re.Match[str]) -> Quantity:
    share = match["half"] == "半成"
    return Quantity(
        value=0.05 if share else 0.005, unit=Unit.PERCENT if share else Unit.POINTS, span=Span(*match.span())
    )


def _factor(match: re.Match[str]) -> Quantity:
    return Quantity(value=FACTORS[match["factor"]], unit=Unit.MULTIPLE, span=Span(*match.span()))


def _fraction(match: re.Match[str]) -> Quantity:
    return Quantity(value=FRACTIONS[match["piece"]], unit=Unit.PERCENT, span=Span(*match.span()))


def _times(match: re.Match[str]) -> Quantity:
    return Quantity(value=float(match["factor_of"]), unit=Unit.MULTIPLE, span=Span(*match.span()))


def _chinese(match: re.Match[str]) -> Quantity | None:
    """Numerals alone are words (一下, 统一) unless a unit follows or they reach a hundred."""
    word, unit = match["cn"], match["cn_unit"]
    if not unit and not re.search("[百千万亿]", word):
        return None
    return _quantity(match, chinese_number(word), unit)


def _english(match: re.Match[str]) -> Quantity | None:
    scale, unit = match["en_scale"], match["en_unit"]
    if not scale and not unit:
        return None
    return _quantity(
        match,
        english_number(match["en"]) * SCALES[scale.strip(" -")] if scale else english_number(match["en"]),
        unit,
    )


def _arabic(match: re.Match[str]) -> Quantity | None:
    number = float(match["digits"].replace(",", ""))
    scale = match["scale"] or (match["en_sc"] or "").strip(" -")
    number *= SCALES[scale] if scale else 1.0
    return _quantity(match, -number if match["sign"] == "-" else number, match["unit"], match["before"])


_READERS: Final[dict[str, Callable[[re.Match[str]], Quantity | None]]] = {
    "share": _share,
    "tenths": _tenths,
    "half": _half,
    "factor": _factor,
    "fraction": _fraction,
    "times": _times,
    "chinese": _chinese,
    "english": _english,
    "arabic": _arabic,
}
