"""Pictures of numbers: values in, SVG out, without scripts or styles of their own.

Each has a title that says in words what it shows, which is all that a screen reader reads of it. Colours come from
the style sheet, by class. What lies along a bar is in per cent, so bars are as wide as the cell that they stand in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

_LINE_WIDTH: Final = 640
_LINE_HEIGHT: Final = 220
_MARGIN_LEFT: Final = 52
_MARGIN_BELOW: Final = 26
_MARGIN: Final = 10
_SPARK_WIDTH: Final = 120
_SPARK_HEIGHT: Final = 28
_TICKS: Final = 4
_PART_COLOURS: Final = 7
_STRETCH: Final = Markup(
    '<rect class="stretch {}" x="{}" width="{}" y="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A line, with the band around it if there is one."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    lows: Sequence[float] = ()
    highs: Sequence[float] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """From when until when something holds, in seconds since 1970; `kind` is its class."""

    start: float
    end: float
    kind: str
    title: str
    share: float = 1.0
    """How much of the row's height it takes, such as the share of users in a rollout."""


def weight_bar(value: float, low: float, high: float, *, title: str, before: float | None = None) -> Markup:
    """A weight within its bounds, on the scale from 0 to 1, and a tick for what it was before."""
    parts = [
        _rect(0, 1, "track", y="4", height="8"),
        _rect(low, high - low, "range", y="4", height="8"),
        _rect(0, value, "value", y="5", height="6"),
        _tick(low, "bound"),
        _tick(high, "bound"),
    ]
    if before is not None:
        parts.append(_tick(before, "before"))
    return _bar(parts, title)


def share_bar(value: float, *, title: str, before: float | None = None, kind: str = "value") -> Markup:
    """A share of the whole, and a tick for what it was before."""
    parts = [_rect(0, 1, "track", y="4", height="8"), _rect(0, value, kind, y="4", height="8")]
    if before is not None:
        parts.append(_tick(before, "before"))
    return _bar(parts, title)


def stacked_bar(shares: Mapping[str, float], *, title: str) -> Markup:
    """Shares of a whole one after the other, each with its name on it."""
    parts, place = [], 0.0
    for number, (name, share) in enumerate(shares.items(), 1):
        parts.append(
            Markup('<rect class="part part-{}" x="{}" width="{}" y="3" height="10"><title>{}</title></rect>').format(
                number % _PART_COLOURS, _percent(place), _percent(share), f"{name} {share:.3f}"
            )
        )
        place += share
    return _bar(parts, title)


def interval_dot(mean: float, low: float, high: float, *, limit: float, title: str) -> Markup:
    """A difference with its interval, on the scale from -limit to limit around 0."""
    scale = limit or 1.0

    def place(value: float) -> float:
        return min(1.0, max(0.0, 0.5 + 0.5 * value / scale))

    sign = "better" if low > 0 else "worse" if high < 0 else "unsure"
    parts = [
        _line(0, 1, "axis"),
        _tick(0.5, "zero"),
        _line(place(low), place(high), f"interval {sign}"),
        Markup('<circle class="dot {}" cx="{}" cy="8" r="4"/>').format(sign, _percent(place(mean))),
    ]
    return _bar(parts, title)


def sparkline(values: Sequence[float], *, title: str) -> Markup:
    """The course of a number, without axes."""
    if len(values) < 2:
        return Markup("")
    low, high = min(values), max(values)
    points = _points(
        [i / (len(values) - 1) for i in range(len(values))],
        [(v - low) / (high - low) if high > low else 0.5 for v in values],
        (2, 2, _SPARK_WIDTH - 4, _SPARK_HEIGHT - 4),
    )
    line = Markup('<polyline class="line line-1" points="{}"/>').format(points)
    return _svg([line], title, "spark", f"0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}")


def line_chart(series: Sequence[Series], *, title: str, digits: int = 2) -> Markup:
    """Lines over a common scale, each with its band; their names are for a legend beside it."""
    xs = [x for s in series for x in s.xs]
    ys = [y for s in series for y in (*s.ys, *s.lows, *s.highs)]
    if not xs or not ys:
        return Markup("")
    spans = _Spans(min(xs), max(xs), min(ys), max(ys))
    box = (_MARGIN_LEFT, _MARGIN, _LINE_WIDTH - _MARGIN_LEFT - _MARGIN, _LINE_HEIGHT - _MARGIN - _MARGIN_BELOW)
    parts = [*_grid(spans, box, digits)]
    for number, one in enumerate(series, 1):
        if one.lows and one.highs:
            edge_x = [*one.xs, *reversed(one.xs)]
            edge_y = [*one.highs, *reversed(one.lows)]
            points = _points([spans.x(x) for x in edge_x], [spans.y(y) for y in edge_y], box)
            parts.append(Markup('<polygon class="band line-{}" points="{}"/>').format(number, points))
        points = _points([spans.x(x) for x in one.xs], [spans.y(y) for y in one.ys], box)
        parts.append(Markup('<polyline class="line line-{}" points="{}"/>').format(number, points))
    return _svg(parts, title, "plot", f"0 0 {_LINE_WIDTH} {_LINE_HEIGHT}")


def timeline_row(
    stretches: Iterable[Stretch], *, start: float, end: float, title: str, now: float | None = None
) -> Markup:
    """What holds when, on the scale from start to end, with a tick for now."""
    length = end - start or 1.0

    def place(moment: float) -> float:
        return min(1.0, max(0.0, (moment - start) / length))

    parts = [_rect(0, 1, "track", y="2", height="20")]
    for one in stretches:
        height = 20 * one.share
        parts.append(
            _STRETCH.format(
                one.kind,
                _percent(place(one.start)),
                _percent(place(one.end) - place(one.start)),
                22 - height,
                height,
                one.title,
            )
        )
    if now is not None and start <= now <= end:
        parts.append(_tick(place(now), "now", bottom=24))
    return _svg(parts, title, "timeline-row", None)


@dataclass(frozen=True, slots=True)
class _Spans:
    left: float
    right: float
    low: float
    high: float

    def x(self, value: float) -> float:
        return (value - self.left) / (self.right - self.left) if self.right > self.left else 0.5

    def y(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5


def _grid(spans: _Spans, box: tuple[float, float, float, float], digits: int) -> Iterable[Markup]:
    left, top, width, height = box
    for step in range(_TICKS + 1):
        share = step / _TICKS
        y = top + height * (1 - share)
        value = spans.low + share * (spans.high - spans.low)
        place = _tick_at(spans.left + share * (spans.right - spans.left), spans)
        yield Markup('<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>').format(
            left, left + width, y, y
        )
        yield Markup('<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>').format(
            left - 6, y + 4, f"{value:.{digits}f}"
        )
        yield Markup('<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
            left + width * spans.x(place), top + height + 18, "end" if step == _TICKS else "middle", f"{place:,.3g}"
        )


def _tick_at(place: float, spans: _Spans) -> float:
    """Where a tick stands: at a whole number, if there are enough of them, such as days."""
    return float(round(place)) if spans.right - spans.left >= 2 * _TICKS else place


def _bar(parts: Iterable[Markup], title: str) -> Markup:
    return _svg(parts, title, "bar", None)


def _svg(parts: Iterable[Markup], title: str, kind: str, view_box: str | None) -> Markup:
    box = Markup(' viewBox="{}"').format(view_box) if view_box else Markup("")
    return Markup('<svg class="chart {}" role="img" aria-label="{}"{}>{}</svg>').format(
        kind, title, box, Markup("").join(parts)
    )


def _rect(start: float, length: float, kind: str, *, y: str, height: str) -> Markup:
    return Markup('<rect class="{}" x="{}" width="{}" y="{}" height="{}" rx="2"/>').format(
        kind, _percent(start), _percent(max(0.0, length)), y, height
    )


def _tick(place: float, kind: str, bottom: int = 16) -> Markup:
    return Markup('<line class="mark {}" x1="{}" x2="{}" y1="0" y2="{}"/>').format(
        kind, _percent(place), _percent(place), bottom
    )


def _line(start: float, end: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{}" x2="{}" y1="8" y2="8"/>').format(kind, _percent(start), _percent(end))


def _points(xs: Iterable[float], ys: Iterable[float], box: tuple[float, float, float, float]) -> str:
    left, top, width, height = box
    return " ".join(f"{left + x * width:.1f},{top + (1 - y) * height:.1f}" for x, y in zip(xs, ys, strict=True))


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"
