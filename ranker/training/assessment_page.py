"""An assessment as one page, which needs no network and no other file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from ranker.training.assessment import Assessment
from ranker.training.card import SLATE_COLUMNS, prediction_rows, slate_row
from ranker.training.curves import chart, page
from ranker.training.quality import Reliability

SIDE: Final = 240


def assessment_page(found: Assessment, title: str) -> str:
    """Tables of the scores, the reliability of click predictions and the examination of the positions."""
    scores = found.evaluator
    examined = chart("examination of the positions", list(enumerate(scores.examination, start=1)))
    body = (
        f"<h2>Predictions, on {scores.lists:,} lists</h2>\n{_table(('measure', 'value'), prediction_rows(found))}"
        f"<section>\n{_reliability(scores.click_reliability)}\n{examined}\n</section>\n"
        f"<h2>Slates of {found.size}, on {found.actor_lists:,} requests: mean reward</h2>\n"
        f"{_table(SLATE_COLUMNS, [slate_row(one) for one in found.actor])}"
    )
    return page(title, body)


def _reliability(bins: Sequence[Reliability]) -> str:
    """Clicks that came over clicks that were expected; the line is where they agree."""
    most = max([*(one.expected for one in bins), *(one.observed for one in bins), 1e-9])
    points = " ".join(f"{SIDE * one.expected / most:.1f},{SIDE * (1 - one.observed / most):.1f}" for one in bins)
    return (
        "<figure><figcaption><b>clicks observed over clicks expected</b></figcaption>"
        f'<svg width="{SIDE}" height="{SIDE}" viewBox="-4 -4 {SIDE + 8} {SIDE + 8}" role="img" '
        'aria-label="reliability of click predictions">'
        f'<line x1="0" y1="{SIDE}" x2="{SIDE}" y2="0"/><polyline points="{points}"/></svg>'
        f"<figcaption><small>0 to {most:.3g} on both sides</small></figcaption></figure>"
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>\n"
