"""Five seeds of the recipe that ships: means and spread of what its reports say, and which runs collapsed.

    python benchmarks/ranker_seeds.py --minutes 20           as the checkpoint that ships was trained
    python benchmarks/ranker_seeds.py --lists 2000 --steps 300 --evaluator-steps 500

All runs learn from one log, a generated one unless another is named; the seed is that of both networks, of the
batches and of the weights. A run whose actor collapses is stopped by the training itself, and counted here.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from ranker.data import GeneratorConfig, generated_log, read_log
from ranker.errors import TrainingFailed
from ranker.features import FeatureSpec, shipped_spec
from ranker.training.journal import progress_bar
from ranker.training.pace import Steps
from ranker.training.pipeline import train
from ranker.training.recipe import PipelineConfig
from ranker.training.report import PipelineReport


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--spec", type=Path)
    parser.add_argument("--lists", type=int, default=10_000)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--evaluator-steps", type=int)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    log = read_log(options.log) if options.log else generated_log(GeneratorConfig(lists=options.lists), progress=True)
    spec = FeatureSpec.load(options.spec) if options.spec else shipped_spec()
    runs = {seed: run(log, spec, config(options, seed)) for seed in range(options.seeds)}
    if options.json:
        print(json.dumps({"runs": runs, "summary": summary(list(runs.values()))}, indent=2))
        return
    table = Table("", "mean", "deviation", "least", "most", title=f"{options.seeds} seeds, {log.num_rows:,} lists")
    for name, row in summary(list(runs.values())).items():
        table.add_row(name, *(f"{value:.4f}" for value in row.values()))
    Console().print(table)
    for seed, found in runs.items():
        if "collapsed" in found:
            Console().print(f"seed {seed} collapsed: {found['collapsed']}")


def config(options: argparse.Namespace, seed: int) -> PipelineConfig:
    """The recipe, for so many minutes or steps."""
    told = PipelineConfig(seed=seed, minutes=options.minutes)
    if options.minutes is not None:
        return told
    steps = Steps(
        evaluator=options.evaluator_steps or told.evaluator_training.schedule.steps,
        actor=options.steps or told.actor_training.schedule.steps,
    )
    return told.for_steps(steps)


def run(log: pa.Table, spec: FeatureSpec, told: PipelineConfig) -> dict[str, Any]:
    """The figures of a run, or why it collapsed."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, progress_bar() as bar:
        try:
            report = train(log, spec, told, Path(folder), bar)
        except TrainingFailed as error:
            return {"collapsed": error.message}
    return {**figures(report), "minutes": (time.perf_counter() - began) / 60}


def figures(report: PipelineReport) -> dict[str, float]:
    """Those of the evaluator and the actor, and of the slates of later lists."""
    evaluator = {name: value for name, value in asdict(report.evaluator).items() if isinstance(value, float)}
    actor = {name: value for name, value in asdict(report.actor).items() if isinstance(value, float)}
    slates = {
        f"{one.weights}: {name}": value
        for one in report.assessment.actor
        for name, value in (
            ("of greedy", one.actor / one.greedy if one.greedy else 1.0),
            ("better than logged", one.better_than_logged),
        )
    }
    return {**evaluator, **actor, **slates}


def summary(runs: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Over the runs that didn't collapse, for every figure."""
    whole = [one for one in runs if "collapsed" not in one]
    rows: dict[str, dict[str, float]] = {"collapsed": _row([float("collapsed" in one) for one in runs])}
    for name in whole[0] if whole else ():
        rows[name] = _row([one[name] for one in whole])
    return rows


def _row(values: list[float]) -> dict[str, float]:
    return {
        "mean": statistics.mean(values),
        "deviation": statistics.stdev(values) if len(values) > 1 else 0.0,
        "least": min(values),
        "most": max(values),
    }


if __name__ == "__main__":
    main()
