"""An evaluation as one page that needs nothing else: no network, no script to be read."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reward_llm.cli.evaluation.marks import Piece, pieces
from reward_llm.cli.evaluation.sections import answered_by, points, sections
from reward_llm.domain.interpretation import Intent
from reward_llm.domain.weights import Weights
from reward_llm.tuning.evaluation import (
    AGREES,
    Comparison,
    Confusion,
    Expected,
    Read,
    Report,
    Run,
    Share,
    Verdict,
    compare_runs,
)
from reward_llm.validation.text import clean

_LANGUAGES: Final = {"zh": "zh-Hans", "en": "en"}
"""What a goals file calls a language, as HTML does; `mixed` is no language."""
_ARROWS: Final = {"raise": "▲", "lower": "▼", "hold": "■"}
_EXPECTED: Final = {
    Expected.RAISE: "raise",
    Expected.LOWER: "lower",
    Expected.HOLD: "hold",
    Expected.LEFT_ALONE: "left alone (no_change)",
    Expected.NOTHING_ASSERTED: "nothing asserted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightRow:
    """One utility's weight beside its default; None where the weight is missing."""

    utility: str
    default: float
    weight: float | None

    @property
    def moved(self) -> str:
        """Where the weight went, as a word."""
        if self.weight is None or abs(self.weight - self.default) < 5e-5:
            return "same"
        return "up" if self.weight > self.default else "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingView:
    """A verdict as the page shows it."""

    verdict: Verdict
    pieces: tuple[Piece, ...]
    intents: tuple[Intent, ...]
    confidence: float | None
    weights: tuple[WeightRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatCell:
    """A count of the confusion matrix; `share` is of its row."""

    count: int
    share: float
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A share beside the baseline's, where there is one."""

    share: Share
    then: Share | None

    @property
    def change(self) -> float | None:
        """How far the share lies above the baseline's."""
        return self.share.change_from(self.then) if self.then else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Scores that belong together: each with its label and one score a backend."""

    heading: str
    rows: tuple[tuple[str, tuple[Score, ...]], ...]


def render_page(run: Run, baseline: Run | None = None) -> str:
    """The report as an HTML document.

    Args:
        run: What was measured.
        baseline: A kept run of the same goals to show it beside.
    """
    comparisons = compare_runs(baseline, run) if baseline else {}
    environment = _environment()
    reports = run.reports.values()
    script = environment.get_template("page.js").render()
    return environment.get_template("page.html.j2").render(
        run=run,
        baseline=baseline,
        comparisons=comparisons,
        panels=list(_panels(run, comparisons)),
        heat={backend: _heat(r.confusion) for backend, r in run.reports.items()},
        reads=[r.value for r in Read],
        slowest_ms=max(r.latency_p95_ms for r in reports) or 1.0,
        heaviest=_heaviest(run.defaults, [*reports, *(c.baseline for c in comparisons.values())]),
        kinds=Counter(v.reading.line.kind for r in reports for v in r.failures).most_common(),
        view=functools.partial(_view, defaults=run.defaults),
        script=Markup(script),  # noqa: S704 - a file of this package, without values
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _panels(run: Run, comparisons: Mapping[str, Comparison]) -> Iterator[Panel]:
    """Every section with the present shares beside the baseline's."""
    compared = list(comparisons)
    for section in sections([*run.reports.values(), *(c.baseline for c in comparisons.values())]):
        rows = []
        for row in section.rows:
            then = dict(zip(compared, row.shares[len(run.reports) :], strict=True))
            shares = zip(run.reports, row.shares, strict=False)
            rows.append((row.label, tuple(Score(share=s, then=then.get(backend)) for backend, s in shares)))
        yield Panel(heading=section.heading, rows=tuple(rows))


def _view(verdict: Verdict, defaults: Mapping[str, float]) -> ReadingView:
    reading = verdict.reading
    interpretation = reading.proposal.interpretation if reading.proposal else None
    intents = interpretation.intents if interpretation else ()
    return ReadingView(
        verdict=verdict,
        pieces=pieces(clean(reading.line.goal)[0], intents),
        intents=intents,
        confidence=interpretation.confidence if interpretation else None,
        weights=tuple(
            WeightRow(utility=u, default=default, weight=reading.weights.get(u)) for u, default in defaults.items()
        ),
    )


def _heat(confusion: Confusion) -> list[tuple[str, int, list[HeatCell]]]:
    """Each row's name, its sum and its cells."""
    return [(_EXPECTED[e], sum(row.values()), list(_heat_cells(e, row))) for e, row in confusion.items()]


def _heat_cells(expected: Expected, row: Mapping[Read, int]) -> Iterator[HeatCell]:
    total = sum(row.values())
    for read, count in row.items():
        tone = "agrees" if AGREES.get(expected) is read else "differs" if expected in AGREES else "neutral"
        yield HeatCell(count=count, share=count / total if total else 0.0, tone=tone)


def _heaviest(defaults: Weights, reports: Iterable[Report]) -> float:
    """The largest weight that the page may show: what all its bars are measured by."""
    return max(*defaults.values(), *(w for r in reports for v in r.verdicts for w in v.reading.weights.values()))


def _anchor(backend: str, line: str) -> str:
    """The id of a failure: without the white space that an id mustn't have."""
    return f"{backend}-{quote(line, safe='')}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reward_llm.cli.evaluation", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "moment": _moment, "points": points, "answered_by": answered_by}
    environment.globals |= {"anchor": _anchor, "arrows": _ARROWS, "languages": _LANGUAGES}
    return environment
