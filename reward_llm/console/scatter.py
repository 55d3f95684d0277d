"""A cloud of points as a picture: two numbers of each, and those that stand out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from markupsafe import Markup

_WIDTH: Final = 640
_HEIGHT: Final = 320
_LEFT: Final = 64
_BELOW: Final = 42
_MARGIN: Final = 12
_TICKS: Final = 4

Kind = Literal["", "better", "worse", "now", "chosen"]
"""One among others, of the front, out of bounds, what is in force, or what would be proposed."""
_ORDER: Final[Sequence[Kind]] = ("worse", "", "better", "now", "chosen")
"""From what is drawn first to what lies on top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A point, with what is said of it."""

    x: float
    y: float
    kind: Kind
    title: str


def scatter(dots: Sequence[Dot], *, title: str, x_name: str, y_name: str) -> Markup:
    """The points on scales from the least to the greatest of each number, with the front joined by a line."""
    if not dots:
        return Markup("")
    box = _Box.of(dots)
    front = sorted((dot for dot in dots if dot.kind in {"better", "chosen"}), key=lambda dot: dot.x)
    line = " ".join(f"{box.x(dot.x):.1f},{box.y(dot.y):.1f}" for dot in front)
    parts = [
        *box.grid(),
        Markup('<polyline class="line line-3" points="{}"/>').format(line),
        *(_mark(dot, box) for dot in sorted(dots, key=lambda dot: _ORDER.index(dot.kind))),
        Markup('<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>').format(
            _WIDTH - _MARGIN, _HEIGHT - 6, x_name
        ),
        Markup('<text class="tick" x="{}" y="{}">{}</text>').format(_LEFT, _MARGIN - 2, y_name),
    ]
    return Markup('<svg class="chart plot" role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>').format(
        title, _WIDTH, _HEIGHT, Markup("").join(parts)
    )


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    right: float
    low: float
    high: float

    @classmethod
    def of(cls, dots: Sequence[Dot]) -> _Box:
        xs, ys = [dot.x for dot in dots], [dot.y for dot in dots]
        return cls(min(xs), max(xs), min(ys), max(ys))

    def x(self, value: float) -> float:
        share = (value - self.left) / (self.right - self.left) if self.right > self.left else 0.5
        return _LEFT + share * (_WIDTH - _LEFT - _MARGIN)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return _MARGIN + (1 - share) * (_HEIGHT - _MARGIN - _BELOW)

    def grid(self) -> Iterable[Markup]:
        for step in range(_TICKS + 1):
            share = step / _TICKS
            y, x = self.low + share * (self.high - self.low), self.left + share * (self.right - self.left)
            yield Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
                _LEFT, _WIDTH - _MARGIN, self.y(y), self.y(y)
            )
            yield Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
                _LEFT - 6, self.y(y) + 4, f"{y:,.4g}"
            )
            yield Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                min(self.x(x), _WIDTH - 3 * _MARGIN), _HEIGHT - _BELOW + 16, f"{x:,.4g}"
            )


def _mark(dot: Dot, box: _Box) -> Markup:
    x, y = box.x(dot.x), box.y(dot.y)
    if dot.kind == "now":
        return Markup(
            '<rect class="value" x="{:.1f}" y="{:.1f}" width="9" height="9"><title>{}</title></rect>'
        ).format(x - 4.5, y - 4.5, dot.title)
    radius, kind = (7, "better") if dot.kind == "chosen" else (4, dot.kind)
    return Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{}</title></circle>').format(
        kind, x, y, radius, dot.title
    )
