"""How long a slate takes: the scorer on one core, against PyTorch and exported graphs, and by size.

    python benchmarks/ranker_speed.py --calls 2000
    python benchmarks/ranker_speed.py --exported          AOTInductor as well, and ONNX Runtime where it is installed
    python benchmarks/ranker_speed.py --untrained         networks of the usual sizes that were never trained

Reported are, on one thread and in milliseconds from the call to its answer:

    paths    50 candidates, 10 slots: the actor's greedy list by every path, `Scorer.greedy` with its checks, and
             `Scorer.rank`: all competing lists, the rules included
    floor    multiplications and additions of the greedy path's matrix products over what this core does in a large
             product: no implementation is quicker, and what share of that speed the kernels reach
    growth   by candidates and slots
    batch    64 requests in one call: lists a second
    rivals   what each kind of list takes on top of the actor's, what it gains, and what is lost without it

The requests are made up, except for the gains, which are those of the checkpoint's held-out lists where it has some.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rivals.exported_actor import by_inductor, by_onnx
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from ranker.actor import Actor
from ranker.checkpoint import SAMPLE, Checkpoint, shipped_checkpoint
from ranker.config import ActorConfig, EvaluatorConfig, InputShape
from ranker.data import read_log
from ranker.evaluator import Evaluator
from ranker.objective import Objective
from ranker.requests import Requests
from ranker.rules import Rules
from ranker.scorer import Scorer, ScorerConfig
from ranker.scorer.probe import made_up
from ranker.training.config import WeightRanges
from ranker.training.weights import draw_weights
from ranker.utilities import default_utilities

GROWTH: Final = ((10, 5), (20, 10), (50, 10), (100, 10), (200, 10), (50, 20), (100, 20), (50, 50), (200, 50))
BATCH: Final = 64
SQUARE: Final = 768
ALONE: Final = ScorerConfig(samples=0, greedy=False, trade_offs=(), temperatures=(), sweeps=0)
RIVALS: Final[dict[str, dict[str, Any]]] = {
    "sampled": {"samples": ScorerConfig().samples},
    "greedy": {"greedy": True},
    "mmr": {"trade_offs": ScorerConfig().trade_offs},
    "dpp": {"temperatures": ScorerConfig().temperatures},
    "improved, one sweep": {"sweeps": 1},
    "improved": {"sweeps": ScorerConfig().sweeps},
}

Row = dict[str, Any]


def main() -> None:
    """Measure, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=shipped_checkpoint())
    parser.add_argument("--untrained", action="store_true")
    parser.add_argument("--exported", action="store_true")
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument("--requests", type=int, default=200, help="held-out lists for the gains")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    actor, objective, sample = _subject(options)
    scorer = Scorer(actor, objective)
    parts: dict[str, Callable[[], list[Row]]] = {
        "paths": lambda: paths(scorer, actor, options.calls, exported=options.exported),
        "floor": lambda: floor(scorer, actor, options.calls),
        "growth": lambda: growth(scorer, max(5, options.calls // 20)),
        "batch": lambda: batch(scorer, max(3, options.calls // 100)),
        "rivals": lambda: rivals(actor, objective, sample, max(5, options.calls // 10)),
    }
    console = Console(stderr=True)
    tables = {name: part() for name, part in track(parts.items(), console=console, disable=options.json)}
    if options.json:
        print(json.dumps({"path": scorer.path, **tables}, indent=2))
        return
    print(f"ranked on the {scorer.path} path {scorer.eager_reason or ''}")
    for name, rows in tables.items():
        Console().print(_table(name, rows))


def paths(scorer: Scorer, actor: Actor, calls: int, *, exported: bool) -> list[Row]:
    """One request of 50 candidates for 10 slots, by every path."""
    requests, weights_BK = made_up(actor.shape, batch=1, candidates=50, seed=0), _weights(actor.shape, 1)
    with torch.inference_mode():
        sensitive = actor.condition(weights_BK)
        conditions = [one.parameters for one in scorer._conditions.of(weights_BK)]
        run: dict[str, Callable[[], Any]] = {
            "greedy list, PyTorch": lambda: actor.write(requests, sensitive, 10),
            "greedy list, kernels": lambda: scorer._engine.greedy(requests, conditions, 10),
            "Scorer.greedy": lambda: scorer.greedy(requests, weights_BK, 10),
            "Scorer.rank": lambda: scorer.rank(requests, weights_BK, 10),
        }
        rows = [{"path": name, **timed(call, calls)} for name, call in run.items()]
    return rows + (_exported(actor, requests, weights_BK, calls) if exported else [])


def floor(scorer: Scorer, actor: Actor, calls: int) -> list[Row]:
    """Operations of the greedy path, and how near the kernels come to them."""
    requests, weights_BK = made_up(actor.shape, batch=1, candidates=50, seed=0), _weights(actor.shape, 1)
    with torch.no_grad():
        sensitive = actor.condition(weights_BK)
        with FlopCounterMode(display=False) as counter:
            actor.write(requests, sensitive, 10)
        square = torch.randn(SQUARE, SQUARE)
        product_ms = timed(lambda: square @ square, 30)["p50_ms"]
        conditions = [one.parameters for one in scorer._conditions.of(weights_BK)]
        took_ms = timed(lambda: scorer._engine.greedy(requests, conditions, 10), calls)["p50_ms"]
    operations = counter.get_total_flops()
    peak_per_ms = 2 * SQUARE**3 / product_ms
    floor_ms = operations / peak_per_ms
    return [
        {
            "operations": operations,
            "core_gflops": peak_per_ms / 1e6,
            "floor_ms": floor_ms,
            "kernels_ms": took_ms,
            "share": floor_ms / took_ms,
        }
    ]


def growth(scorer: Scorer, calls: int) -> list[Row]:
    """By candidates and slots; sizes that the evaluator doesn't know are left out."""
    rows = []
    shape = scorer.actor_shape
    for candidates, size in GROWTH:
        if scorer.largest_slate is not None and size > scorer.largest_slate:
            continue
        one, weights_BK = made_up(shape, batch=1, candidates=candidates, seed=1), _weights(shape, 1)
        for name, call in (("greedy", scorer.greedy), ("rank", scorer.rank)):
            took = timed(lambda call=call: call(one, weights_BK, size), calls)  # type: ignore[misc]  # noqa: B023
            rows.append({"candidates": candidates, "slots": size, "path": name, **took})
    return rows


def batch(scorer: Scorer, calls: int) -> list[Row]:
    """Requests of their own weights in one call."""
    shape = scorer.actor_shape
    requests, weights_BK = made_up(shape, batch=BATCH, candidates=50, seed=2), _weights(shape, BATCH)
    rows = []
    for name, call in (("greedy", scorer.greedy), ("rank", scorer.rank)):
        took = timed(lambda call=call: call(requests, weights_BK, 10), calls)  # type: ignore[misc]
        rows.append({"path": name, **took, "lists_a_second": BATCH / took["p50_ms"] * 1e3})
    return rows


def rivals(actor: Actor, objective: Objective, sample: Requests, calls: int) -> list[Row]:
    """Every kind of list beside the actor's, and all lists without it."""
    one, of_one = made_up(actor.shape, batch=1, candidates=50, seed=3), _weights(actor.shape, 1)
    weights_BK = _weights(actor.shape, sample.B)
    size = int(min(10, sample.allowed_BM.sum(1).min()))

    def worth(config: ScorerConfig) -> tuple[Tensor, float]:
        scorer = Scorer(actor, objective, config=config, rules=Rules())
        took = timed(lambda: scorer.rank(one, of_one, 10), calls)
        return scorer.rank(sample, weights_BK, size).reward_B, took["p50_ms"]

    alone_B, alone_ms = worth(ALONE)
    full_B, full_ms = worth(ScorerConfig())
    rows = []
    for name, settings in RIVALS.items():
        reward_B, took_ms = worth(replace(ALONE, **settings))
        without_B, _ = worth(replace(ScorerConfig(), **{key: getattr(ALONE, key) for key in settings}))
        rows.append(
            {
                "list": name,
                "adds_ms": took_ms - alone_ms,
                "gain": float((reward_B / alone_B).mean() - 1),
                "better": float((reward_B > alone_B + 1e-6).float().mean()),
                "lost_without": float(1 - (without_B / full_B).mean()),
            }
        )
    gain, better = float((full_B / alone_B).mean() - 1), float((full_B > alone_B + 1e-6).float().mean())
    return [*rows, {"list": "all", "adds_ms": full_ms - alone_ms, "gain": gain, "better": better}]


def timed(call: Callable[[], Any], calls: int) -> dict[str, float]:
    """Milliseconds of one call, after a tenth as many to warm up."""
    for _ in range(max(3, calls // 10)):
        call()
    took = []
    for _ in range(calls):
        start = time.perf_counter_ns()
        call()
        took.append((time.perf_counter_ns() - start) / 1e6)
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    return {"p50_ms": cuts[49], "p99_ms": cuts[98]}


def _exported(actor: Actor, requests: Requests, weights_BK: Tensor, calls: int) -> list[Row]:
    rows: list[Row] = []
    with torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        sensitive = actor.condition(weights_BK)
        for name, build in (("AOTInductor", by_inductor), ("ONNX Runtime", by_onnx)):
            try:
                start = time.perf_counter()
                call = build(actor, requests, sensitive, 10, Path(folder))
                built_s = time.perf_counter() - start
                same = bool(torch.equal(call(requests, sensitive), actor.write(requests, sensitive, 10)))
                took = timed(lambda call=call: call(requests, sensitive), calls)  # type: ignore[misc]
                rows.append({"path": f"greedy list, {name}", **took, "built_s": built_s, "same_slate": same})
            except Exception as error:  # noqa: BLE001  # a peer that can't run is reported as that
                rows.append({"path": f"greedy list, {name}: {type(error).__name__}"})
    return rows


def _subject(options: argparse.Namespace) -> tuple[Actor, Objective, Requests]:
    if not options.untrained:
        checkpoint = Checkpoint.load(options.checkpoint)
        log = read_log(options.checkpoint / SAMPLE).slice(0, options.requests)
        return checkpoint.actor, checkpoint.objective(), checkpoint.features.requests(log)
    torch.manual_seed(0)
    shape = InputShape(user=12, item=8, vocabularies=(1_000, 50))
    objective = Objective(utilities=default_utilities(), evaluator=Evaluator(shape, EvaluatorConfig()).frozen())
    return (
        Actor(shape, ActorConfig()).eval(),
        objective,
        made_up(shape, batch=options.requests, candidates=50, seed=4),
    )


def _weights(shape: InputShape, count: int) -> Tensor:
    return draw_weights(WeightRanges(), count, shape.utilities, torch.Generator().manual_seed(5))


def _table(name: str, rows: list[Row]) -> Table:
    table = Table(title=name, title_justify="left")
    columns = list(dict.fromkeys(key for row in rows for key in row))
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(_cell(row.get(column, "")) for column in columns))
    return table


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
