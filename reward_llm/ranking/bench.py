"""The bench of a re-ranker, for the command line."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from pathlib import Path

import torch

from ranker.bench.optimum import Contestant, Optimum
from ranker.bench.report import QUICK, BenchConfig, BenchReport, bench
from ranker.checkpoint import shipped_checkpoint
from ranker.training.curves import chart, page
from ranker.training.journal import progress_bar
from reward_llm.ranking.failures import translated

SPARKS = "▁▂▃▄▅▆▇█"


def bench_ranker(folder: Path | None, log: Path | None, *, quick: bool, seed: int) -> BenchReport:
    """Bench a checkpoint, or what ships, on one core, with bars on standard error.

    Raises:
        RankerUnavailable: If the checkpoint or the log can't be used.
    """
    config = replace(QUICK if quick else BenchConfig(), seed=seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with translated(), progress_bar() as show:
            return bench(folder or shipped_checkpoint(), config, log, show)
    finally:
        torch.set_num_threads(threads)


def sparkline(values: tuple[float, ...]) -> str:
    """Values as a row of bars, the lowest at the bottom.

    >>> sparkline((0.0, 0.5, 1.0))
    '▁▅█'
    """
    low, high = min(values), max(values)
    return "".join(SPARKS[round((len(SPARKS) - 1) * (value - low) / (high - low or 1.0))] for value in values)


def contestant_row(contestant: Contestant, kind: str = "all") -> tuple[str, ...]:
    """Mean, p5, least, share at least greedy, share above it, milliseconds."""
    share = contestant.over[kind]
    parts = (f"{share.mean:.4f}", f"{share.p5:.4f}", f"{share.least:.4f}")
    took = "" if contestant.seconds is None else f"{contestant.seconds * 1_000:.1f}"
    return (contestant.name, *parts, f"{share.at_least_greedy:.0%}", f"{share.above_greedy:.0%}", took)


def bench_page(report: BenchReport) -> str:
    """A page with the tables, and a chart of every utility over its weight."""
    tables = "\n".join(_table(one) for one in report.optimum)
    charts = "\n".join(
        chart(sweep.utility, list(zip(sweep.weight, sweep.achieved, strict=True))) for sweep in report.control
    )
    body = f"{tables}\n<h2>Each utility over its own weight</h2>\n<section>\n{charts}\n</section>"
    return page("Re-ranker bench", body)


def _table(one: Optimum) -> str:
    heads = ("", "mean", "p5", "least", "≥ greedy", "&gt; greedy", "ms")
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in contestant_row(contestant)) + "</tr>"
        for contestant in one.contestants
    )
    head = "".join(f"<th>{cell}</th>" for cell in heads)
    said = f"<small>{one.problems} problems; the best by {escape(one.best_by)}</small>"
    return f"<h2>{escape(one.name)}</h2>\n<table><tr>{head}</tr>\n{rows}</table>\n{said}"


__all__ = ["BenchReport", "bench_page", "bench_ranker", "contestant_row", "sparkline"]
