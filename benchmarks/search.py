"""Searches at equal budget: how much every method dominates, by evaluations, against chance and a grid.

    python benchmarks/search.py --evaluator surface --seeds 10 --json
    python benchmarks/search.py --evaluator surface --seeds 10 --method gp --json
    python benchmarks/search.py --evaluator simulator --seeds 3 --budget 32 --method tpe --method random
    python benchmarks/search.py --evaluator analytic --seeds 2 --budget 16

Each method begins from the scenario's defaults and asks the same evaluator as often. Objectives are GMV and the
diversity of interests; the click rate may not be below 97 % of that under the defaults. The hypervolume lies above a
point fixed before: 10 % below the defaults in both objectives. It is divided by that of all points of all runs of all
methods in the same call together, or by `--of` another call's. Means are over seeds, with 95 % intervals (Student's
t); `beats` counts the seeds on which a method dominates more than chance on the same seed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from reward_llm.agents.simulation.intervals import mean_interval
from reward_llm.agents.simulation.what_if import SimulatedWhatIf
from reward_llm.bootstrap import load_all_scenarios, load_settings
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.searching import Constraint, Evaluator, EvaluatorKind, SearchMethod, SearchPlan
from reward_llm.domain.simulation import RecommenderName
from reward_llm.domain.what_if import Expected, WhatIf
from reward_llm.loop.search.hypervolume import hypervolume
from reward_llm.loop.search.judging import Judge
from reward_llm.loop.search.methods import searcher
from reward_llm.loop.search.searcher import Task
from reward_llm.loop.search.space import Space

OBJECTIVES = ("gmv", "interest_diversity")
CONSTRAINT = Constraint(metric="ctr", least=0.97, relative=True)
SEED_OF_THE_MARKET = 7_000


@dataclass
class Analytic:
    """Money and variety as plain functions of their weights, so that a small run takes no time."""

    name: str = "analytic"
    metrics: Sequence[str] = ("gmv", "interest_diversity", "ctr")

    def expected(self, weights: Sequence[Mapping[str, float]], *, seed: int = 0) -> Sequence[Mapping[str, Expected]]:
        """The same for every seed."""
        return [
            {
                "gmv": Expected(mean=1 + w["gmv"] ** 0.5),
                "interest_diversity": Expected(mean=1 + w["diversity"] ** 0.5),
                "ctr": Expected(mean=1 + 0.2 * w["click"]),
            }
            for w in weights
        ]


@dataclass
class Run:
    """One method on one seed: its feasible points' objectives by evaluation, and its own CPU time."""

    values: list[tuple[float, ...] | None] = field(default_factory=list)
    seconds: float = 0.0

    def volume(self, evaluations: int, reference: Sequence[float]) -> float:
        """What the first evaluations dominate."""
        return hypervolume([v for v in self.values[:evaluations] if v is not None], reference)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluator", choices=["surface", "simulator", "analytic"], default="surface")
    parser.add_argument("--method", action="append", choices=[m.value for m in SearchMethod], help="all if left out")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0, help="to spread the seeds over several calls")
    parser.add_argument("--budget", type=int, default=64)
    parser.add_argument("--users", type=int, default=60)
    parser.add_argument("--of", type=float, default=None, help="the hypervolume to divide by")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    chosen = [SearchMethod(name) for name in options.method or SearchMethod]
    report = measure(options, chosen)
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        show(report)


def measure(options: argparse.Namespace, chosen: Sequence[SearchMethod]) -> dict[str, object]:
    scenario = load_all_scenarios(load_settings())["home_feed"]
    what_if = evaluator_of(options, scenario)
    (now,) = what_if.expected([dict(scenario.defaults)], seed=SEED_OF_THE_MARKET)
    judge = Judge.of(plan_of(scenario), now)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    runs = {
        method: [searched(method, seed, options.budget, what_if, judge, scenario) for seed in seeds]
        for method in chosen
    }
    found = [v for all_of in runs.values() for run in all_of for v in run.values if v is not None]
    whole = options.of or hypervolume(found, judge.reference)
    checkpoints = sorted({options.budget // 4, options.budget // 2, options.budget} - {0})
    return {
        "evaluator": options.evaluator,
        "budget": options.budget,
        "seeds": options.seeds,
        "first_seed": options.first_seed,
        "divided_by": whole,
        "methods": {
            method.value: told(all_of, runs.get(SearchMethod.RANDOM), checkpoints, judge.reference, whole)
            for method, all_of in runs.items()
        },
    }


def told(
    runs: Sequence[Run],
    by_chance: Sequence[Run] | None,
    checkpoints: Sequence[int],
    reference: Sequence[float],
    whole: float,
) -> dict[str, object]:
    volumes = {n: [run.volume(n, reference) / whole for run in runs] for n in checkpoints}
    chance = [run.volume(checkpoints[-1], reference) / whole for run in by_chance] if by_chance else None
    last = volumes[checkpoints[-1]]
    return {
        "hypervolume": {n: interval(values) for n, values in volumes.items()},
        "by_seed": volumes,
        "beats": None if chance is None else sum(a > b for a, b in zip(last, chance, strict=True)),
        "seconds": float(np.mean([run.seconds for run in runs])),
    }


def interval(values: Sequence[float]) -> list[float]:
    """Mean, low and high; a single value has no width."""
    if len(values) < 2:
        return [values[0]] * 3
    found = mean_interval(values)
    return [found.mean, found.low, found.high]


def searched(method: SearchMethod, seed: int, budget: int, what_if: WhatIf, judge: Judge, scenario: Scenario) -> Run:
    space, run = Space.of(scenario, scenario.defaults), Run()
    task = Task(dimensions=space.dimensions, objectives=len(OBJECTIVES), budget=budget, seed=seed)
    made = searcher(method, task)
    made.tell([space.point(scenario.defaults)], [(0.0,) * len(OBJECTIVES)], [0.0])
    for _ in range(budget):
        began = time.process_time()
        (point,) = made.ask(1)
        run.seconds += time.process_time() - began
        (metrics,) = what_if.expected([dict(space.weights(point))], seed=SEED_OF_THE_MARKET)
        violation, values = judge.violation(metrics), judge.values(metrics)
        run.values.append(values if violation <= 0 else None)
        began = time.process_time()
        made.tell([point], [values], [violation])
        run.seconds += time.process_time() - began
    return run


def evaluator_of(options: argparse.Namespace, scenario: Scenario) -> WhatIf:
    if options.evaluator == "analytic":
        return Analytic()
    if options.evaluator == "simulator":
        return SimulatedWhatIf(
            scenario=scenario, recommender=RecommenderName.BANDIT, users=options.users, days=10, seeds=1
        )
    from reward_llm.bootstrap.search import build_what_if  # noqa: PLC0415 - loads what only this evaluator needs

    return build_what_if(load_settings(), scenario, Evaluator(kind=EvaluatorKind.SURFACE))


def plan_of(scenario: Scenario) -> SearchPlan:
    return SearchPlan(
        scenario=scenario.name,
        segment=None,
        in_force=dict(scenario.defaults),
        in_force_policy="default",
        evaluator=Evaluator(),
        method=SearchMethod.RANDOM,
        objectives=OBJECTIVES,
        constraints=(CONSTRAINT,),
    )


def show(report: Mapping[str, Any]) -> None:
    methods = report["methods"]
    checkpoints = [str(n) for n in next(iter(methods.values()))["hypervolume"]]
    rows = Table("method", *checkpoints, "beats chance", "s", title=f"{report['evaluator']}, {report['seeds']} seeds")
    for name, found in methods.items():
        cells = [f"{m:.3f} ({low:.3f} to {high:.3f})" for m, low, high in found["hypervolume"].values()]
        beats = "–" if found["beats"] is None else f"{found['beats']} of {report['seeds']}"
        rows.add_row(name, *cells, beats, f"{found['seconds']:.2f}")
    Console(width=130).print(rows)
    print(f"divided by {report['divided_by']}")


if __name__ == "__main__":
    main()
