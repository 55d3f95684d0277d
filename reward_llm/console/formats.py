"""Numbers and moments as people of a language read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup

from reward_llm.console.wording import Language

MINUS: Final = "\N{MINUS SIGN}"
NOTHING: Final = "\N{EN DASH}"
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_AGES: Final = (
    (86_400.0, "{n} d", "{n} 天"),
    (3_600.0, "{n} h", "{n} 小时"),
    (60.0, "{n} min", "{n} 分钟"),
    (0.0, "{n} s", "{n} 秒"),
)
_EN_MAGNITUDES: Final = ((1e9, "B"), (1e6, "M"))
_ZH_MAGNITUDES: Final = ((1e8, "亿"), (1e4, "万"))


class Formats:
    """The ways of one language and time zone; None is shown as a dash."""

    def __init__(self, language: Language, zone: ZoneInfo) -> None:
        self.language = language
        self.zone = zone

    def number(self, value: float | None, digits: int = 0) -> str:
        """A number with its thousands set apart.

        >>> Formats(Language.EN, ZoneInfo("UTC")).number(-12345.678, 1)
        '−12,345.7'
        >>> Formats(Language.ZH, ZoneInfo("UTC")).number(-0.001, 2)
        '0.00'
        """
        if value is None:
            return NOTHING
        return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", MINUS)

    def weight(self, value: float | None) -> str:
        """A weight, to the thousandth."""
        return self.number(value, 3)

    def percent(self, value: float | None, digits: int = 0) -> str:
        """A share as per cent."""
        return NOTHING if value is None else f"{self.number(100 * value, digits)}%"

    def change(self, value: float | None, digits: int = 3) -> str:
        """A difference with its sign.

        >>> [Formats(Language.EN, ZoneInfo("UTC")).change(v) for v in (0.05, -0.05, 0.0, None)]
        ['+0.050', '−0.050', '±0.000', '–']
        """
        if value is None:
            return NOTHING
        rounded = round(value, digits)
        sign = "+" if rounded > 0 else MINUS if rounded < 0 else "±"
        return f"{sign}{abs(rounded):,.{digits}f}"

    def large(self, value: float) -> str:
        """A count in the language's own magnitudes.

        >>> [Formats(x, ZoneInfo("UTC")).large(1e8) for x in Language]
        ['100M', '1亿']
        """
        magnitudes = _ZH_MAGNITUDES if self.language is Language.ZH else _EN_MAGNITUDES
        for size, name in magnitudes:
            if abs(value) >= size:
                return f"{value / size:,.4g}{name}".replace("-", MINUS)
        return f"{value:,.6g}".replace("-", MINUS)

    def moment(self, value: str | datetime | None) -> Markup | str:
        """A moment to the minute, as a `time` element."""
        if value is None:
            return NOTHING
        moment = self.local(value)
        day = self._day(moment)
        text = f"{day} {moment:%H:%M}"
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            moment.astimezone(UTC).isoformat(), f"{day} {moment:%H:%M:%S} {moment.tzname()}", text
        )

    def day(self, value: str | datetime | None) -> str:
        """The day of a moment."""
        return NOTHING if value is None else self._day(self.local(value))

    def for_input(self, value: str | datetime | None) -> str:
        """A moment as an `input` of type `datetime-local` has it."""
        return "" if value is None else f"{self.local(value):%Y-%m-%dT%H:%M}"

    def from_input(self, text: str) -> str | None:
        """A moment that was entered in such an `input`, as the interface takes it; what is none stays as it is."""
        if not text.strip():
            return None
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            return text
        return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).isoformat()

    def age(self, seconds: float | None) -> str:
        """How long something takes, or took, in its largest unit.

        >>> [Formats(Language.EN, ZoneInfo("UTC")).age(s) for s in (0.25, 59, 3_600, 200_000)]
        ['0.2 s', '59 s', '1 h', '2 d']
        """
        if seconds is None:
            return NOTHING
        size, en, zh = next(a for a in _AGES if abs(seconds) >= a[0])
        count = seconds / size if size else seconds
        n = f"{count:.1f}" if not size and count < 10 and count % 1 else f"{count:.0f}"
        return (zh if self.language is Language.ZH else en).format(n=n)

    def since(self, value: str | datetime, now: datetime) -> str:
        """How long ago a moment was."""
        return self.age(max(0.0, (now - self.local(value)).total_seconds()))

    def local(self, value: str | datetime) -> datetime:
        """The moment in the pages' time zone."""
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.astimezone(self.zone)

    def _day(self, moment: datetime) -> str:
        if self.language is Language.ZH:
            return f"{moment.year}年{moment.month}月{moment.day}日"
        return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
