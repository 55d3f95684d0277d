"""Whether each utility rises with its weight, and how far: 11 weights from 0 to 1, the others in fixed proportion.

    python benchmarks/ranker_control.py --html control.html

Once by the actor's greedy lists alone, and once by the scorer's whole path, on logged requests that nothing was
fitted to. The range is how far the utility at weight 1 lies above that at weight 0.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from ranker.bench.control import Sweep, control
from ranker.bench.report import UNRULED, benched_requests, ranks
from ranker.checkpoint import SAMPLE, shipped_checkpoint
from ranker.scorer import Scorer
from ranker.training.curves import chart, page
from ranker.training.journal import progress_bar
from reward_llm.ranking.bench import sparkline


def main() -> None:
    """Print a table, or JSON, and write a page of plots where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=shipped_checkpoint())
    parser.add_argument("--log", type=Path)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--html", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    scorer = Scorer.load(options.checkpoint, rules=UNRULED)
    requests, size = benched_requests(scorer, options.log or options.checkpoint / SAMPLE)
    few = requests.select(slice(0, options.requests))
    with progress_bar() as bar:
        sweeps = {
            who: control(rank, scorer.objective, few, size, on_progress=bar) for who, rank in ranks(scorer).items()
        }
    if options.html:
        options.html.write_text(page("Control", "\n".join(section(*one) for one in sweeps.items())), "utf-8")
    if options.json:
        print(json.dumps({who: [asdict(one) for one in found] for who, found in sweeps.items()}, indent=2))
        return
    table = Table(
        "", "utility", "0 → 1", "at 0", "at 1", "Spearman", "largest fall", "range", title=f"{few.B} requests"
    )
    for who, found in sweeps.items():
        for one in found:
            wide = "–" if one.range_percent is None else f"{one.range_percent:+.1f} %"
            ends = (f"{one.achieved[0]:.4f}", f"{one.achieved[-1]:.4f}")
            table.add_row(
                who,
                one.utility,
                sparkline(one.achieved),
                *ends,
                f"{one.spearman:.3f}",
                f"{one.largest_fall:.1%}",
                wide,
            )
    Console().print(table)


def section(who: str, sweeps: tuple[Sweep, ...]) -> str:
    """The plots of one way to rank."""
    charts = "\n".join(chart(one.utility, list(zip(one.weight, one.achieved, strict=True))) for one in sweeps)
    return f"<h2>{who}</h2>\n<section>\n{charts}\n</section>"


if __name__ == "__main__":
    main()
