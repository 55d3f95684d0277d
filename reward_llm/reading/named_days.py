"""Days that a text names, by a date, a festival or a period."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from reward_llm.reading.festivals import FESTIVALS, Days

_YEARS: Final = range(2000, 2101)
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
_SUNDAY: Final = 6
_CHINESE_WEEKDAYS: Final = "一二三四五六日"
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY: Final = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_OFFSETS: Final = {"this": 0, "next": 1, "last": -1, "本": 0, "这": 0, "下": 1, "上": -1, "今": 0, "明": 1, "去": -1}
_PREVIOUS_REACH: Final = 12
_PREVIOUS: Final = re.compile(r"(?:last|previous|去年|上次) ?$")


@dataclass(frozen=True, slots=True)
class NamedDays:
    """Days that text[start:end] names, two ends of a range, or a deadline: only their end."""

    start: int
    end: int
    days: Days
    deadline: bool = False
    range: bool = False


def find_days(text: str, today: date) -> list[NamedDays]:
    """The days named in normalised text, in order; what has no year is the next to come, or goes on."""
    found = []
    for match in _NAME.finditer(text):
        kind = match.lastgroup or ""
        past = _PREVIOUS.search(text, max(0, match.start() - _PREVIOUS_REACH), match.start()) is not None
        try:
            days = _RESOLVERS[kind](match, today, past)
        except (ValueError, OverflowError):
            continue
        if days and days[0].year in _YEARS:
            found.append(NamedDays(match.start(), match.end(), days, deadline=kind == "end"))
    return found


def _month(year: int, month: int, months: int = 1) -> Days:
    """Whole months; `month` may lie outside 1 to 12."""
    first, last = year * 12 + month - 1, year * 12 + month - 1 + months
    return date(first // 12, first % 12 + 1, 1), date(last // 12, last % 12 + 1, 1)


def _next(of_year: Callable[[int], Days | None], today: date, past: bool) -> Days | None:
    """The one that goes on or comes next, or the one that ended last."""
    years = range(today.year, today.year - 3, -1) if past else range(today.year, today.year + 3)
    candidates = (of_year(year) for year in years)
    return next((d for d in candidates if d and (d[1] <= today if past else d[1] > today)), None)


def _one(day: date) -> Days:
    return day, day + _DAY


def _festival(match: re.Match[str], today: date, past: bool) -> Days | None:
    return _next(FESTIVALS[match["festival"]], today, past)


def _iso(match: re.Match[str], today: date, past: bool) -> Days:
    year, month, day = (int(part) for part in re.findall(r"\d+", match["iso"]))
    return _one(date(year, month, day))


def _chinese(match: re.Match[str], today: date, past: bool) -> Days | None:
    month, first = int(match["zh_month"]), int(match["zh_first"])
    last = int(match["zh_last"] or first)

    def of_year(year: int) -> Days:
        return date(year, month, first), date(year, month, last) + _DAY

    return of_year(int(match["zh_year"])) if match["zh_year"] else _next(of_year, today, past)


def _english(match: re.Match[str], today: date, past: bool) -> Days | None:
    """English dates, with the years that dateparser gives them."""
    month = match["md_month"] or match["dm_month"]
    first = match["md_first"] or match["dm_first"]
    last = match["md_last"] or match["dm_last"] or first
    year = match["md_year"] or match["dm_year"]
    start, end = _parsed(f"{month} {first}", year, today, past), _parsed(f"{month} {last}", year, today, past)
    return (start, end + _DAY) if start and end and start <= end else None


@functools.lru_cache(maxsize=1024)
def _parsed(words: str, year: str | None, today: date, past: bool) -> date | None:
    import dateparser  # noqa: PLC0415  loading it takes longer than reading a goal

    found: datetime | None = dateparser.parse(
        f"{words} {year}" if year else words,
        languages=["en"],
        settings={
            "RELATIVE_BASE": datetime.combine(today, time()) - timedelta(0 if past else 1),
            "PREFER_DATES_FROM": "past" if past else "future",
            "RETURN_AS_TIMEZONE_AWARE": False,
        },
    )
    return found.date() if found else None


def _whole_month(match: re.Match[str], today: date, past: bool) -> Days | None:
    return _month_called(match["month_number"] or match["month_name"], today, past)


def _month_called(word: str, today: date, past: bool) -> Days | None:
    number = int(word) if word.isdigit() else _MONTHS.index(word[:3]) + 1
    return _next(lambda year: _month(year, number), today, past) if number <= len(_MONTHS) else None


def _quarter(match: re.Match[str], today: date, past: bool) -> Days | None:
    number = "一二三四".index(match["zh_q"]) + 1 if match["zh_q"] else int(match["q"])
    if match["q_year"]:
        return _month(int(match["q_year"]), 3 * number - 2, 3)
    return _next(lambda year: _month(year, 3 * number - 2, 3), today, past)


def _half(match: re.Match[str], today: date, past: bool) -> Days | None:
    first = match["half"] in {"h1", "上半年", "first half"}
    return _next(lambda year: _month(year, 1 if first else 7, 6), today, past)


def _period(match: re.Match[str], today: date, past: bool) -> Days:
    which = match["which"] or match["zh_which"] or match["zh_which_year"]
    return _around(match["unit"] or match["zh_unit"] or "year", today, _OFFSETS[which.removesuffix("个")])


def _around(unit: str, today: date, offset: int) -> Days:
    """The week, month, quarter, half or year that many away from the one of today."""
    if unit in {"week", "周"}:
        monday = today - today.weekday() * _DAY + offset * _WEEK
        return monday, monday + _WEEK
    months = {"month": 1, "月": 1, "quarter": 3, "季度": 3, "half": 6, "year": 12, "年": 12}[unit]
    index = (today.year * 12 + today.month - 1) // months * months + offset * months
    return _month(index // 12, index % 12 + 1, months)


def _end(match: re.Match[str], today: date, past: bool) -> Days | None:
    if word := match["end_month"] or match["end_name"]:
        return _month_called(word, today, past)
    word = match["end"]
    units = (("年", "year"), ("季", "quarter"), ("周", "week"), ("eoy", "year"), ("eoq", "quarter"), ("year", "year"))
    unit = next((u for sign, u in (*units, ("quarter", "quarter"), ("week", "week")) if sign in word), "month")
    return _around(unit, today, 0)


def _weekday(match: re.Match[str], today: date, past: bool) -> Days:
    name, which = match["weekday"], match["week_which"] or match["zh_week_which"]
    chinese = match["zh_weekday"]
    number = _CHINESE_WEEKDAYS.index(chinese.replace("天", "日")) if chinese else _WEEKDAYS.index(name[:3])
    if which in {None, "this"}:
        return _one(today + (number - today.weekday()) % 7 * _DAY)
    return _one(_around("week", today, _OFFSETS[which.removesuffix("个")])[0] + number * _DAY)


def _relative(match: re.Match[str], today: date, past: bool) -> Days:
    word = match["relative"]
    if word in {"weekend", "周末"}:
        sunday = today + (_SUNDAY - today.weekday()) * _DAY
        return sunday - _DAY, sunday + _DAY
    return _one(today + {"明天": 1, "tomorrow": 1, "后天": 2}.get(word, 0) * _DAY)


def _whole_year(match: re.Match[str], today: date, past: bool) -> Days:
    return _month(int(match["year"][:4]), 1, 12)


_RESOLVERS: Final[dict[str, Callable[[re.Match[str], date, bool], Days | None]]] = {
    "festival": _festival,
    "iso": _iso,
    "chinese": _chinese,
    "english": _english,
    "end": _end,
    "month": _whole_month,
    "quarter": _quarter,
    "half": _half,
    "period": _period,
    "day": _weekday,
    "relative": _relative,
    "year": _whole_year,
}
_ORDINAL: Final = r"(?:st|nd|rd|th)?"
_NUMBER_GOES_ON: Final = r"(?![\d%万亿元]|[.,]\d)"
_FESTIVAL: Final = "|".join(sorted(map(re.escape, FESTIVALS), key=len, reverse=True))
_NAME: Final = re.compile(
    "|".join(
        (
            rf"(?<![a-z\d.,])(?P<iso>\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}){_NUMBER_GOES_ON}",
            r"(?P<chinese>(?:(?P<zh_year>\d{4})年)?(?<!\d)(?P<zh_month>\d{1,2})月(?P<zh_first>\d{1,2})[日号]?"
            r"(?:[-~–至到](?P<zh_last>\d{1,2})(?=[日号]))?(?![\d%.])[日号]?)",
            rf"(?P<english>(?<![a-z])(?P<md_month>{_MONTH})\.? (?P<md_first>\d{{1,2}}){_ORDINAL}(?![\d:%.]\d?|[a-z])"
            rf"(?:[-–](?P<md_last>\d{{1,2}})(?!\d))?(?:,? (?P<md_year>20\d\d)(?!\d))?"
            rf"|(?<![\w.])(?P<dm_first>\d{{1,2}}){_ORDINAL}(?:[-–](?P<dm_last>\d{{1,2}}))?(?: of)? "
            rf"(?P<dm_month>{_MONTH})(?![a-z])(?:,? (?P<dm_year>20\d\d)(?!\d))?)",
            rf"(?P<end>(?<!\d)(?P<end_month>\d{{1,2}})月[底末]|(?<![a-z])end of (?P<end_name>{_MONTH})(?![a-z])|"
            r"(?:年|月|季度?)[底末]|"
            r"(?<![a-z])(?:end of (?:the |this )?(?:year|month|quarter|week)|year[- ]end|eo[myq])(?![a-z]))",
            r"(?P<month>(?<![\d.])(?P<month_number>\d{1,2})月(?:份|中旬|初)?(?!\d)|"
            r"(?:(?<=in )|(?<=by )|(?<=until )|(?<=till )|(?<=before )|(?<=during )|(?<=through ))"
            rf"(?P<month_name>{_MONTH})(?![a-z]))",
            r"(?P<quarter>(?:(?P<q_year>20\d\d)年? ?)?"
            r"(?:(?<![a-z0-9])q(?P<q>[1-4])(?![a-z0-9])|第?(?P<zh_q>[一二三四])季度))",
            r"(?P<half>(?<![a-z0-9])(?:h[12]|first half|second half)(?![a-z0-9])|[上下]半年)",
            r"(?P<day>(?<![a-z])(?:(?P<week_which>this|next|last) )?(?P<weekday>"
            + _WEEKDAY
            + r")(?![a-z])|(?P<zh_week_which>[本这下上])?个?(?:周|星期)(?P<zh_weekday>[一二三四五六日天]))",
            r"(?P<relative>(?<![a-z])(?:today|tomorrow|weekend)(?![a-z])|今天|今晚|明天|后天|周末)",
            r"(?P<period>(?<![a-z])(?P<which>this|next|last) (?P<unit>week|month|quarter|half|year)(?![a-z])|"
            r"(?P<zh_which>[本这下上]个?)(?P<zh_unit>周|月|季度)|(?P<zh_which_year>[今明去])年)",
            rf"(?<![\w.,$¥€£#-])(?P<year>20\d\d年|(?<=in )20\d\d){_NUMBER_GOES_ON}",
            rf"(?<![a-z\d.,])(?P<festival>{_FESTIVAL})(?![a-z]){_NUMBER_GOES_ON}",
        )
    )
)
