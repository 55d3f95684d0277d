"""An evaluation as a JSON document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reward_llm.cli.evaluation.sections import DIRECTIONS, GROUPS, MEASURES, read_as
from reward_llm.tuning.evaluation import Change, Comparison, Report, Run, Share, Verdict, compare_runs


def run_document(run: Run, baseline: Run | None) -> dict[str, Any]:
    """Every report of the run; with a baseline, what has changed since."""
    document = {
        "file": run.file,
        "scenario": run.scenario,
        "reports": {backend: report_document(r) for backend, r in run.reports.items()},
    }
    if baseline is None:
        return document
    changes = {backend: _comparison(c) for backend, c in compare_runs(baseline, run).items()}
    return document | {"baseline": {"taken_at": baseline.taken_at.isoformat(), "comparisons": changes}}


def report_document(report: Report) -> dict[str, Any]:
    """The report: every share with its counts."""
    return {
        "lines": report.lines,
        **{field: _share(getattr(report, field)) for field in MEASURES},
        **{field: {n: _share(s) for n, s in getattr(report, field).items()} for field in GROUPS},
        "by_utility": {u: {d: _share(getattr(s, d)) for d in DIRECTIONS} for u, s in report.by_utility.items()},
        "confusion": {e.value: {r.value: n for r, n in row.items()} for e, row in report.confusion.items()},
        "sources": dict(report.sources),
        "latency_p50_ms": round(report.latency_p50_ms, 3),
        "latency_p95_ms": round(report.latency_p95_ms, 3),
        "failures": [_failure(v) for v in report.failures],
        "failed_pairs": list(report.failed_pairs),
    }


def _share(share: Share) -> dict[str, float | int | None]:
    return {"share": share.value, "right": share.right, "of": share.of}


def _failure(verdict: Verdict) -> dict[str, Any]:
    line = verdict.reading.line
    return {
        "id": line.id,
        "goal": line.goal,
        "expected": str(line.expect),
        "read_as": read_as(verdict),
        "source": verdict.reading.source,
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    then, now = comparison.baseline, comparison.current
    shares = {f: (getattr(then, f), getattr(now, f)) for f in MEASURES}
    return {
        "measures": {
            f: {"baseline": _share(b), "current": _share(c), "change": c.change_from(b)}
            for f, (b, c) in shares.items()
        },
        "fixed": list(_changes(comparison.fixed)),
        "broken": list(_changes(comparison.broken)),
    }


def _changes(changes: tuple[Change, ...]) -> Iterator[dict[str, Any]]:
    for change in changes:
        line = change.current.reading.line
        yield {
            "id": line.id,
            "goal": line.goal,
            "expected": str(line.expect),
            "read_as": {"baseline": read_as(change.baseline), "current": read_as(change.current)},
        }
