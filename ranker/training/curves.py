"""The curves of a run as one page, which needs no network and no other file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

WIDTH: Final = 320
HEIGHT: Final = 120
Row = Mapping[str, str]

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }}
body {{ margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }}
section {{ display: flex; flex-wrap: wrap; gap: 1.5rem; }}
figure {{ margin: 0; }}
figcaption {{ display: flex; justify-content: space-between; max-width: {width}px; }}
svg {{ background: color-mix(in srgb, currentcolor 5%, transparent); }}
polyline {{ fill: none; stroke: #2a7de1; stroke-width: 1.5; vector-effect: non-scaling-stroke; }}
line {{ stroke: currentcolor; opacity: .3; }}
small {{ opacity: .7; }}
th, td {{ text-align: right; padding: .1rem .8rem .1rem 0; font-variant-numeric: tabular-nums; }}
th:first-child, td:first-child {{ text-align: left; }}
</style>
<h1>{title}</h1>
{body}
</html>
"""


def curves_page(journals: Mapping[str, Sequence[Row]]) -> str:
    """A page with a chart for every column of every journal, over the steps."""
    return page("Training", "\n".join(_section(name, rows) for name, rows in journals.items()))


def page(title: str, body: str) -> str:
    """A whole page around a body of HTML."""
    return _PAGE.format(title=escape(title), width=WIDTH, body=body)


def chart(name: str, point_P2: Sequence[tuple[float, float]]) -> str:
    """One curve with its lowest and highest value, as a figure; nothing for no points."""
    if not point_P2:
        return ""
    low, high = min(y for _, y in point_P2), max(y for _, y in point_P2)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in _scaled(point_P2))
    return (
        f"<figure><figcaption><b>{escape(name)}</b> <small>{point_P2[-1][1]:.4g}</small></figcaption>"
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="-4 -4 {WIDTH + 8} {HEIGHT + 8}" role="img" '
        f'aria-label="{escape(name)} from {point_P2[0][1]:.4g} to {point_P2[-1][1]:.4g}">'
        f'<polyline points="{points}"/></svg>'
        f"<figcaption><small>{low:.4g} to {high:.4g}</small> "
        f"<small>{point_P2[0][0]:g} to {point_P2[-1][0]:g}</small></figcaption></figure>"
    )


def _section(name: str, rows: Sequence[Row]) -> str:
    columns = [column for column in (rows[0] if rows else ()) if column != "step"]
    charts = "\n".join(chart(column, _points(rows, column)) for column in columns)
    return f"<h2>{escape(name)}</h2>\n<section>\n{charts}\n</section>"


def _points(rows: Sequence[Row], column: str) -> list[tuple[float, float]]:
    return [(float(row["step"]), float(row[column])) for row in rows if row[column] not in {"", "nan"}]


def _scaled(point_P2: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points in the chart's pixels, the highest value on top."""
    x_P, y_P = zip(*point_P2, strict=True)
    wide, tall = max(x_P) - min(x_P) or 1.0, max(y_P) - min(y_P) or 1.0
    return [(WIDTH * (x - min(x_P)) / wide, HEIGHT * (1 - (y - min(y_P)) / tall)) for x, y in point_P2]
