"""`reward-llm ranker bench`: how near to the best, how obedient, how fast a re-ranker is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reward_llm.cli.options import JsonOption, LangOption
from reward_llm.cli.output import console, print_json, table
from reward_llm.cli.ranker_evaluate import check_ranker
from reward_llm.cli.wording import Lang, say
from reward_llm.errors import InvalidInput

if TYPE_CHECKING:
    from reward_llm.ranking.bench import BenchReport

_SHARES = ("mean", "p5", "least", "at_least", "above", "ms")


def bench(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="A checkpoint; the one that ships.")] = None,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Less of everything: an answer in 45 seconds.")] = False,
    log: Annotated[
        Path | None, typer.Option("--log", help="A log that it wasn't trained on; the sample in its folder.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the requests and the weights drawn.")] = 0,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with tables and charts, too.")] = None,
    lang: LangOption,
    as_json: JsonOption = False,
) -> None:
    """Hold a re-ranker against the best slates that are known, sweep every weight, and time it on one core."""
    check_ranker()
    from reward_llm.ranking.bench import bench_page, bench_ranker

    report = bench_ranker(folder, log, quick=quick, seed=seed)
    if html is not None:
        try:
            html.write_text(bench_page(report), "utf-8")
        except OSError as exc:
            raise InvalidInput(f"{html} can't be written: {exc}") from exc
    if as_json:
        print_json(report.document())
    else:
        show_bench(report, lang)


def show_bench(report: BenchReport, lang: Lang) -> None:
    """The tables of shares, the sweeps, the times."""
    from reward_llm.ranking.bench import contestant_row

    names = [say(f"bench_{name}", lang) for name in _SHARES]
    for one in report.optimum:
        title = say("bench_optimum", lang, name=one.name, problems=one.problems, best_by=one.best_by)
        shares = table("", *names, right=names)
        for contestant in one.contestants:
            shares.add_row(*contestant_row(contestant))
        console().print(title, shares, "", sep="\n")
    _show_control(report, lang)
    if report.latency is not None:
        told = report.latency
        parts = {
            "greedy_p50": told.greedy.p50_ms,
            "greedy_p99": told.greedy.p99_ms,
            "full_p50": told.full.p50_ms,
            "full_p99": told.full.p99_ms,
            "lists": told.greedy_lists_per_s,
        }
        where = {"path": told.path, "candidates": told.candidates, "size": told.size}
        console().print(say("bench_latency", lang, **where, **parts))
    for reason in report.missing:
        console().print(reason)


def _show_control(report: BenchReport, lang: Lang) -> None:
    from reward_llm.ranking.bench import sparkline

    names = [say(f"bench_{name}", lang) for name in ("first", "last", "spearman", "fall", "range")]
    sweeps = table(say("utility", lang), say("bench_curve", lang), *names, right=names)
    for sweep in report.control:
        wide = "–" if sweep.range_percent is None else f"{sweep.range_percent:+.1f} %"
        ends = (f"{sweep.achieved[0]:.4f}", f"{sweep.achieved[-1]:.4f}")
        sweeps.add_row(
            say(sweep.utility, lang),
            sparkline(sweep.achieved),
            *ends,
            f"{sweep.spearman:.3f}",
            f"{sweep.largest_fall:.1%}",
            wide,
        )
    console().print(say("bench_control", lang), sweeps, "", sep="\n")
