"""How near to the best slate the actor, the scorer and plain searches come.

    python benchmarks/ranker_optimum.py                     all tables, for the checkpoint that ships
    python benchmarks/ranker_optimum.py --quick --json
    python benchmarks/ranker_optimum.py --train             first trains the actor for requests in closed form

Requests of 10 candidates and 5 slots are held against all slates; requests of 50 and 10, and logged requests by the
checkpoint's evaluator, against the best of a beam of 512 with swaps, a beam of 64 with swaps and, in closed form,
integer programming for 10 s. Weights are uniform over the simplex, and its corners. No request was trained on.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from ranker.bench.optimum import ALL, Optimum
from ranker.bench.report import QUICK, UNRULED, BenchConfig, benched_requests, learned_table, separable_tables
from ranker.bench.separable import CASES, STEPS, save_actor, separable_training, train_separable
from ranker.checkpoint import NETWORKS, SAMPLE, shipped_checkpoint
from ranker.scorer import Scorer
from ranker.training.journal import progress_bar
from reward_llm.ranking.bench import contestant_row


def main() -> None:
    """Print a table for each kind of requests and weights, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=shipped_checkpoint())
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.train:
        train(options.checkpoint / CASES, options.steps, options.seed)
    tables = measure(options.checkpoint, QUICK if options.quick else BenchConfig())
    if options.json:
        print(json.dumps([asdict(one) for one in tables], indent=2))
        return
    for one in tables:
        show(one)


def train(folder: Path, steps: int, seed: int) -> None:
    """Train the actor for requests in closed form."""
    with tempfile.TemporaryDirectory() as run, progress_bar() as bar:
        actor, report = train_separable(separable_training(steps, seed), Path(run), bar)
    save_actor(actor, folder)
    Console(stderr=True).print(report)


def measure(checkpoint: Path, config: BenchConfig) -> list[Optimum]:
    """Give the tables; without a checkpoint, those in closed form alone."""
    with progress_bar() as bar:
        tables = list(separable_tables(checkpoint / CASES, config, bar))
        if (checkpoint / NETWORKS).is_file():
            scorer = Scorer.load(checkpoint, rules=UNRULED)
            requests, size = benched_requests(scorer, checkpoint / SAMPLE)
            tables.append(learned_table(scorer, requests, size, config, bar))
    return tables


def show(one: Optimum) -> None:
    """Print a table."""
    title = f"{one.name}: {one.problems} problems, the best by {one.best_by}"
    table = Table("", "weights", "mean", "p5", "least", "≥ greedy", "> greedy", "ms", title=title)
    for contestant in one.contestants:
        kinds = [kind for kind in contestant.over if kind != ALL]
        for kind in (ALL, *kinds):
            name, *cells = contestant_row(contestant, kind)
            table.add_row(name, kind, *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
