"""A report as one page, which needs no network and no other file: intervals by arm, and curves by day."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from reward_llm.domain.preview import Interval
from reward_llm.domain.simulation import (
    OUTCOME_FACTS,
    DailyCurve,
    Outcome,
    OutcomeRow,
    OutcomeUnit,
    SimulationPlan,
    SimulationReport,
)

OUTCOME_TITLES: Final = {
    Outcome.NEW_CONTENT_CTR: "New-content CTR",
    Outcome.INTEREST_DIVERSITY: "Interest diversity",
    Outcome.COLD_START_SUCCESS: "Cold-start success",
    Outcome.NEXT_DAY_RETENTION: "Next-day retention",
    Outcome.BOOST_COST: "Boost cost",
    Outcome.GMV: "GMV",
    Outcome.WATCH_TIME: "Watch time",
    Outcome.CTR: "CTR",
    Outcome.SATISFACTION: "Satisfaction",
    Outcome.GROUP_ORDER: "Group order",
}
_WIDTH: Final = 420
_LINE: Final = 22
_CURVE_HEIGHT: Final = 150
_COLOURS: Final = 8
"""Arms beyond that share colours; `MAX_ARMS` is as many."""

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Simulation</title>
<style>
:root {{ color-scheme: light dark; font: 14px/1.45 system-ui, sans-serif;
  --a0: #2a7de1; --a1: #d9601a; --a2: #1f9d63; --a3: #b04ad0; --a4: #c23a4b; --a5: #8a7a13; --a6: #14909c;
  --a7: #7a7f87; }}
body {{ margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }}
section {{ display: flex; flex-wrap: wrap; gap: 1.5rem 2.5rem; align-items: start; margin-bottom: 1.5rem; }}
figure {{ margin: 0; }}
figcaption, small {{ opacity: .75; }}
table {{ border-collapse: collapse; }}
th, td {{ text-align: right; padding: .15rem .9rem .15rem 0; font-variant-numeric: tabular-nums; }}
th:first-child, td:first-child {{ text-align: left; }}
thead th {{ border-bottom: 1px solid color-mix(in srgb, currentcolor 30%, transparent); }}
svg {{ display: block; max-width: 100%; height: auto; }}
svg text {{ font-size: 11px; fill: currentcolor; }}
.grid {{ stroke: currentcolor; opacity: .15; }}
.better {{ color: #1f9d63; }} .worse {{ color: #c23a4b; }}
{colours}
</style>
<h1>Simulation of {scenario}</h1>
<p>{days} days, {users} users, {seeds} seeds; intervals of {confidence:.0%} over the seeds. Differences are taken seed
by seed from <b>{first}</b>.</p>
{legend}
{body}
</html>
"""


def report_page(plan: SimulationPlan, report: SimulationReport) -> str:
    """The report of a plan as a page."""
    names = [arm.name for arm in plan.arms]
    return _PAGE.format(
        scenario=escape(plan.scenario),
        days=plan.days,
        users=f"{plan.users:,}",
        seeds=plan.seeds,
        confidence=report.confidence,
        first=escape(names[0]),
        colours=_colours(),
        legend=_legend(names),
        body="\n".join(_section(row, report.curves) for row in report.rows),
    )


def formatted(value: float, unit: OutcomeUnit) -> str:
    """A value as people read it.

    >>> [formatted(v, u) for v, u in ((0.034, OutcomeUnit.SHARE), (1234.5, OutcomeUnit.MONEY), (3.2, "minutes"))]
    ['3.40%', '1,234', '3.20']
    """
    if unit == OutcomeUnit.SHARE:
        return f"{value:.2%}"
    return f"{value:,.0f}" if unit == OutcomeUnit.MONEY and abs(value) >= 100 else f"{value:.2f}"


def _colours() -> str:
    arms = (
        f".a{n} {{ stroke: var(--a{n}); fill: var(--a{n}); }}\n.k{n} {{ color: var(--a{n}); }}"
        for n in range(_COLOURS)
    )
    marks = (".band { fill-opacity: .13; stroke: none; }", ".curve { fill: none; stroke-width: 1.6; }")
    return "\n".join([*arms, *marks])


def _legend(names: Sequence[str]) -> str:
    items = (f'<span class="k{place % _COLOURS}">●</span> {escape(name)}' for place, name in enumerate(names))
    return f"<p>{' &emsp; '.join(items)}</p>"


def _section(row: OutcomeRow, curves: Sequence[DailyCurve]) -> str:
    facts = OUTCOME_FACTS[row.outcome]
    title = OUTCOME_TITLES[row.outcome]
    return (
        f"<h2>{title} <small>{facts.unit.value}, {facts.better} is better</small></h2>\n<section>\n"
        f"{_table(row)}\n{_forest(title, row)}\n"
        f"{_chart(title, [c for c in curves if c.outcome is row.outcome])}\n</section>"
    )


def _table(row: OutcomeRow) -> str:
    unit = OUTCOME_FACTS[row.outcome].unit
    lines = ["<table><thead><tr><th>arm<th>mean<th>interval<th>difference<th>ratio</tr></thead><tbody>"]
    for arm in row.arms:
        difference = ratio = mean = spread = "–"
        if arm.interval is not None:
            mean = formatted(arm.interval.mean, unit)
            spread = f"{formatted(arm.interval.low, unit)} to {formatted(arm.interval.high, unit)}"
        if arm.difference is not None:
            low, high = formatted(arm.difference.low, unit), formatted(arm.difference.high, unit)
            difference = f'<span class="{row.verdict(arm)}">{low} to {high}</span>'
            ratio = "–" if arm.ratio is None else f"{arm.ratio:.2f}"
        lines.append(f"<tr><td>{escape(arm.arm)}<td>{mean}<td>{spread}<td>{difference}<td>{ratio}</tr>")
    return "\n".join([*lines, "</tbody></table>"])


def _forest(title: str, row: OutcomeRow) -> str:
    """A line an arm: its interval, and a dot at the mean."""
    known = [arm.interval for arm in row.arms if arm.interval is not None]
    if not known:
        return ""
    low = min(interval.low for interval in known)
    wide = max(interval.high for interval in known) - low or 1.0
    height = _LINE * len(row.arms) + 18
    unit = OUTCOME_FACTS[row.outcome].unit

    def x(value: float) -> float:
        return 6 + (value - low) / wide * (_WIDTH - 12)

    parts = [f'<svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img" aria-label="{title} by arm">']
    for place, arm in enumerate(row.arms):
        if arm.interval is None:
            continue
        y, colour = _LINE * place + _LINE / 2, f"a{place % _COLOURS}"
        ends = f'x1="{x(arm.interval.low):.1f}" x2="{x(arm.interval.high):.1f}" y1="{y}" y2="{y}"'
        parts.append(f'<line class="{colour}" stroke-width="3" stroke-opacity=".45" {ends}/>')
        parts.append(f'<circle class="{colour}" r="4" cx="{x(arm.interval.mean):.1f}" cy="{y}"/>')
    parts.append(f'<text x="6" y="{height - 3}">{formatted(low, unit)}</text>')
    parts.append(f'<text x="{_WIDTH - 6}" y="{height - 3}" text-anchor="end">{formatted(low + wide, unit)}</text>')
    return f"<figure>{''.join(parts)}</svg></figure>"


def _chart(title: str, curves: Sequence[DailyCurve]) -> str:
    """The days from left to right: each arm's mean as a line, within the band of its interval."""
    known = [day for curve in curves for day in curve.days if day is not None]
    if not known:
        return ""
    low, high = min(day.low for day in known), max(day.high for day in known)
    last = max(len(curve.days) for curve in curves) - 1
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_CURVE_HEIGHT + 18}" width="{_WIDTH}" role="img" aria-label="{title} by day">',
        *(_curve(curve, place, (low, high)) for place, curve in enumerate(curves)),
        f'<line class="grid" x1="0" x2="{_WIDTH}" y1="{_CURVE_HEIGHT}" y2="{_CURVE_HEIGHT}"/>',
        f'<text x="6" y="{_CURVE_HEIGHT + 14}">day 1</text>',
        f'<text x="{_WIDTH - 6}" y="{_CURVE_HEIGHT + 14}" text-anchor="end">day {last + 1}</text></svg>',
    ]
    unit = OUTCOME_FACTS[curves[0].outcome].unit
    return (
        f"<figure>{''.join(parts)}<figcaption>{formatted(low, unit)} to {formatted(high, unit)}</figcaption></figure>"
    )


def _curve(curve: DailyCurve, place: int, ends: tuple[float, float]) -> str:
    low, high = ends
    days: list[tuple[int, Interval]] = [(n, day) for n, day in enumerate(curve.days) if day is not None]
    step = (_WIDTH - 12) / max(len(curve.days) - 1, 1)

    def point(day: int, value: float) -> str:
        return f"{6 + day * step:.1f},{_CURVE_HEIGHT * (1 - (value - low) / (high - low or 1.0)):.1f}"

    band = [point(n, day.high) for n, day in days] + [point(n, day.low) for n, day in reversed(days)]
    line = [point(n, day.mean) for n, day in days]
    colour = f"a{place % _COLOURS}"
    return (
        f'<polygon class="{colour} band" points="{" ".join(band)}"/>'
        f'<polyline class="{colour} curve" points="{" ".join(line)}"/>'
    )
