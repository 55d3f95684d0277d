"""What one model for all weights loses against an actor trained for each of ten fixed weights.

    python benchmarks/ranker_price.py                        random requests in closed form
    python benchmarks/ranker_price.py --log log.parquet      a log, by the evaluator of the checkpoint

Half of the weights are corners of the simplex, the others drawn from it. Every actor has the same networks, recipe,
requests and steps as the one for all weights had, which is the shipped one unless `--retrain` trains it here as well.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from ranker.actor import Actor
from ranker.bench.ground import Ground, learned_ground, separable_ground
from ranker.bench.price import Price, fixed_weights, price, worst
from ranker.bench.separable import CASES, STEPS, load_actor
from ranker.checkpoint import Checkpoint, shipped_checkpoint
from ranker.data import read_log
from ranker.training.actor import train_actor
from ranker.training.config import ActorTraining
from ranker.training.journal import progress_bar


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=shipped_checkpoint())
    parser.add_argument("--log", type=Path)
    parser.add_argument("--weights", type=int, default=10)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--held", type=int, default=500, help="requests that are judged on")
    parser.add_argument("--retrain", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    prices = measure(options)
    if options.json:
        print(json.dumps({"worst": worst(prices), "prices": [asdict(one) for one in prices]}, indent=2))
        return
    table = Table("weights", "greedy", "one for all", "its own", "loss", title=f"worst {worst(prices):+.2%}")
    for one in prices:
        weights = " ".join(f"{weight:.2f}" for weight in one.weights)
        table.add_row(weights, f"{one.greedy:.4f}", f"{one.one_for_all:.4f}", f"{one.own:.4f}", f"{one.loss:+.2%}")
    Console().print(table)


def measure(options: argparse.Namespace) -> tuple[Price, ...]:
    """Train an actor for each weight vector."""
    ground, actor = grounds(options)
    schedule = replace(
        ActorTraining().schedule, seed=options.seed, steps=options.steps, report_every=max(1, options.steps // 10)
    )
    training = replace(ActorTraining(), schedule=schedule, hold_back=0.02)
    weights_VK = fixed_weights(options.weights, ground.shape.utilities, options.seed)
    with tempfile.TemporaryDirectory() as folder, progress_bar() as bar:
        if options.retrain:
            parts = (ground.lessons, ground.shape, ground.actor, ground.training(training), ground.objective)
            actor, _ = train_actor(*parts, Path(folder) / "all", bar)
        return tuple(
            price(actor, ground, weights_K, training, Path(folder) / str(place), bar)
            for place, weights_K in enumerate(weights_VK)
        )


def grounds(options: argparse.Namespace) -> tuple[Ground, Actor]:
    """What is trained on, and the one actor for all weights that ships for it."""
    if options.log is None:
        return separable_ground(options.held, options.seed), load_actor(options.checkpoint / CASES)
    checkpoint = Checkpoint.load(options.checkpoint)
    return learned_ground(checkpoint, read_log(options.log), options.held), checkpoint.actor


if __name__ == "__main__":
    main()
