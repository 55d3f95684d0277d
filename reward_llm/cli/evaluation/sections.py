"""The scores of reports, in the order in which every display shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reward_llm.tuning.evaluation import Report, Share, Verdict

MEASURES: Final = {
    "directional": "directional accuracy",
    "raised": "  raise",
    "lowered": "  lower",
    "held": "  hold",
    "top": "top utility",
    "no_change_precision": "no_change precision",
    "no_change_recall": "no_change recall",
    "hostile_safe": "hostile goals safe",
    "paraphrase": "paraphrases agree",
    "stronger": "stronger is not less",
    "numbers": "numbers found",
    "valid": "valid weights",
}
GROUPS: Final = {"by_kind": "directional, by kind", "by_lang": "directional, by language"}
DIRECTIONS: Final = {"raised": "raise, by utility", "lowered": "lower, by utility", "held": "hold, by utility"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One score, a share a report."""

    label: str
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Scores that belong together; the first section has no heading."""

    heading: str
    rows: tuple[Row, ...]


def sections(reports: Sequence[Report]) -> Iterator[Section]:
    """Every score of the reports, which are over the same goals; what no line asserts isn't there."""
    rows = [Row(label=label, shares=tuple(getattr(r, field) for r in reports)) for field, label in MEASURES.items()]
    yield Section(heading="", rows=tuple(rows))
    for field, heading in GROUPS.items():
        yield _section(heading, [getattr(r, field) for r in reports])
    for field, heading in DIRECTIONS.items():
        yield _section(heading, [{u: getattr(s, field) for u, s in r.by_utility.items()} for r in reports])


def _section(heading: str, groups: Sequence[Mapping[str, Share]]) -> Section:
    rows = (Row(label=name, shares=tuple(g[name] for g in groups)) for name in groups[0])
    return Section(heading=heading, rows=tuple(r for r in rows if r.shares[0].of))


def read_as(verdict: Verdict) -> str:
    """What a goal was read as, in a line."""
    proposal = verdict.reading.proposal
    intents = proposal.interpretation.intents if proposal else ()
    words = ", ".join(f"{i.direction} {i.utility} ({i.emphasis})" for i in intents)
    return (words or verdict.reading.decision.value) + ("" if verdict.valid else "; weights not valid")


def answered_by(report: Report) -> str:
    """Who answered, and how often."""
    return ", ".join(f"{source} {count}" for source, count in report.sources.items())


def latency(report: Report) -> str:
    """The median and the 95th percentile."""
    return f"{report.latency_p50_ms:.1f} / {report.latency_p95_ms:.1f} ms"


def points(change: float | None) -> str:
    """A difference of shares in percentage points.

    >>> points(0.0625), points(0.0), points(None)
    ('+6.2 pp', '=', '')
    """
    if change is None:
        return ""
    return f"{100 * change:+.1f} pp" if change else "="
