"""Ways to train one actor, beside one another: same networks, requests, weights and steps, several seeds.

    python benchmarks/ranker_variance.py --steps 500 --seeds 3
    python benchmarks/ranker_variance.py --log log.parquet   a log, by the evaluator of the checkpoint

The score is the mean reward of greedy slates over that of marginal-gain greedy, on requests and at weights that
weren't trained on, and the share of requests in which the actor's slate is worth at least as much. A run that
collapses is named so. The time is that of one step, so that methods can be compared by time as well.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from rich.console import Console
from rich.table import Table

from ranker.bench.ground import Ground, greedy_reward, judged, learned_ground, separable_ground
from ranker.bench.optimum import spread_weights
from ranker.checkpoint import Checkpoint, shipped_checkpoint
from ranker.data import read_log
from ranker.errors import TrainingFailed
from ranker.training.actor import train_actor
from ranker.training.config import ActorTraining
from ranker.training.journal import OnProgress, progress_bar

BONUS: Final = ActorTraining().entropy
WAYS: Final[dict[str, dict[str, Any]]] = {
    "exchange (shipped)": {},
    "exchange, no entropy bonus": {"entropy": 0.0},
    "leave-one-out": {"baseline": "leave_one_out", "entropy": BONUS},
    "leave-one-out, no entropy bonus": {"baseline": "leave_one_out", "entropy": 0.0},
    "leave-one-out, reward to go": {"baseline": "leave_one_out", "entropy": BONUS, "reward_to_go": True},
    "leave-one-out, scaled by batch": {"baseline": "leave_one_out", "entropy": BONUS, "scale": "batch"},
    "leave-one-out, warm start": {"baseline": "leave_one_out", "entropy": BONUS, "warm_start_share": 0.2},
    "self-critical": {"baseline": "self_critical", "entropy": BONUS},
    "self-critical, no entropy bonus": {"baseline": "self_critical", "entropy": 0.0},
    "self-critical, reward to go": {"baseline": "self_critical", "entropy": BONUS, "reward_to_go": True},
    "logged": {"baseline": "logged", "entropy": BONUS},
    "logged, no entropy bonus": {"baseline": "logged", "entropy": 0.0},
    "logged, reward to go": {"baseline": "logged", "entropy": BONUS, "reward_to_go": True},
    "logged, unscaled, as in the paper": {"baseline": "logged", "entropy": BONUS, "scale": "none"},
}


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=shipped_checkpoint())
    parser.add_argument("--log", type=Path)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--held", type=int, default=500)
    parser.add_argument("--only", nargs="*", default=list(WAYS), choices=list(WAYS), metavar="WAY")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    ground = chosen(options)
    weights_BK, _ = spread_weights(ground.held.requests.B, 0, ground.shape.utilities, options.seeds)
    greedy_B = greedy_reward(ground, weights_BK)
    rows = {}
    with progress_bar() as bar:
        for way in options.only:
            rows[way] = [
                run(ground, told(way, options.steps, seed), weights_BK, greedy_B, bar)
                for seed in range(options.seeds)
            ]
    if options.json:
        print(json.dumps({"steps": options.steps, "ground": ground.name, "runs": rows}, indent=2))
        return
    table = Table("training", "of greedy", "spread", "≥ greedy", "ms a step", "collapsed", title=ground.name)
    for way, runs in rows.items():
        table.add_row(way, *summary(runs))
    Console().print(table)


def chosen(options: argparse.Namespace) -> Ground:
    """What is trained on; in closed form, the lists that came first stand for logged ones."""
    if options.log is not None:
        checkpoint = Checkpoint.load(options.checkpoint)
        return learned_ground(checkpoint, read_log(options.log), options.held)
    ground = separable_ground(options.held)
    first_BN = torch.arange(ground.size).repeat(ground.lessons.requests.B, 1)
    return replace(ground, lessons=replace(ground.lessons, shown_BN=first_BN))


def told(way: str, steps: int, seed: int) -> ActorTraining:
    """The training of a way."""
    changes = dict(WAYS[way])
    warm = round(steps * changes.pop("warm_start_share", 0.0))
    schedule = replace(ActorTraining().schedule, seed=seed, steps=steps, report_every=max(1, steps // 10))
    return replace(ActorTraining(), schedule=schedule, hold_back=0.02, warm_start_steps=warm, **changes)


def run(
    ground: Ground, training: ActorTraining, weights_BK: torch.Tensor, greedy_B: torch.Tensor, bar: OnProgress
) -> dict[str, Any]:
    """One run: its scores, or why it collapsed."""
    began = time.process_time()
    parts = (ground.lessons, ground.shape, ground.actor, ground.training(training), ground.objective)
    with tempfile.TemporaryDirectory() as folder:
        try:
            actor, _ = train_actor(*parts, Path(folder), bar)
        except TrainingFailed as error:
            return {"collapsed": error.message}
    step_ms = 1_000 * (time.process_time() - began) / training.schedule.steps
    found = judged(actor, ground, weights_BK, greedy_B)
    return {"of_greedy": found.of_greedy, "at_least_greedy": found.at_least_greedy, "step_ms": step_ms}


def summary(runs: list[dict[str, Any]]) -> tuple[str, ...]:
    """Mean over the seeds, half the range of the first figure, and how many collapsed."""
    whole = [one for one in runs if "collapsed" not in one]
    if not whole:
        return ("–", "–", "–", "–", str(len(runs)))
    of_greedy = [one["of_greedy"] for one in whole]
    at_least = statistics.mean(one["at_least_greedy"] for one in whole)
    return (
        f"{statistics.mean(of_greedy):.4f}",
        f"± {(max(of_greedy) - min(of_greedy)) / 2:.4f}",
        f"{at_least:.0%}",
        f"{statistics.mean(one['step_ms'] for one in whole):.0f}",
        str(len(runs) - len(whole)),
    )


if __name__ == "__main__":
    main()
