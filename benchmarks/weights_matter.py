"""Whether weights move the outcomes that they are for: sweeps of each, and goals in words all the way to the market.

    python benchmarks/weights_matter.py                                     both, of the agents
    python benchmarks/weights_matter.py --part sweeps --seeds 3 --users 300
    python benchmarks/weights_matter.py --part goals --recommender bandit --json

A sweep takes one utility's weight from its least to its most, the others in proportion, and gives Spearman's rank
correlation between the weight and the outcome that it asks more of. A goal is read by the model of the settings, its
weights are simulated against the scenario's defaults on the same seeds, and two things are looked for: that the
outcome that it asks for rose clearly, its interval above 0; and that no outcome that it wants held fell clearly, by
more than --slack of what it was.

Where a market has nothing to measure under some weight, such as an order of groups where every page is of one, its
seed is left out of the whole sweep, so that all points are means over the same seeds; the table says how many.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from reward_llm.agents.simulation.run import simulate
from reward_llm.bootstrap import load_all_scenarios, load_settings, read_goal
from reward_llm.cli.filling import filled
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.simulation import (
    ASKED_OF,
    MAX_DAYS,
    ArmOutcome,
    Outcome,
    RecommenderName,
    SimulationArm,
    SimulationPlan,
    SimulationReport,
    market_concepts,
)

GOALS: Final = Path(__file__).parent / "goals" / "market.jsonl"
ENOUGH: Final = 0.9
"""Spearman's rank correlation that a sweep is to reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One utility's weight from its least to its most."""

    utility: str
    outcome: Outcome
    weights: tuple[float, ...]
    means: tuple[float, ...]
    seeds: int
    """That the means are over."""
    spearman: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A goal, and what its weights did; the numbers are relative to the outcome under the defaults."""

    id: str
    goal: str
    source: str
    raised: Mapping[str, tuple[float, str | None]]
    held: Mapping[str, tuple[float, str | None]]
    broken: tuple[str, ...]

    @property
    def moved(self) -> bool:
        """Whether all that it asks for rose clearly."""
        return all(verdict == "better" for _, verdict in self.raised.values())


def main() -> None:
    """Print the tables, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("sweeps", "goals", "both"), default="both")
    parser.add_argument("--recommender", type=RecommenderName, default=RecommenderName.MARKETPLACE)
    parser.add_argument("--points", type=int, default=7)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--days", type=int, default=MAX_DAYS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", nargs="+", help="Utilities to sweep.")
    parser.add_argument("--slack", type=float, default=0.02)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    scenario = load_all_scenarios(load_settings())["home_feed"]
    sweeps = swept(scenario, options) if options.part != "goals" else []
    goals = tried(scenario, options) if options.part != "sweeps" else []
    if options.json:
        print(json.dumps({"sweeps": [_swept(s) for s in sweeps], "goals": [_tried(g) for g in goals]}, indent=2))
        return
    console = Console()
    if sweeps:
        console.print(sweep_table(sweeps))
    if goals:
        console.print(goal_table(goals))


def swept(scenario: Scenario, options: argparse.Namespace) -> list[Sweep]:
    """Every utility's weight over its bounds, all in one simulation."""
    points = {
        utility.name: np.linspace(utility.bounds.min, utility.bounds.max, options.points).round(4).tolist()
        for utility in scenario.utilities
        if not options.only or utility.name in options.only
    }
    arms = [
        _arm(f"{name}={weight}", filled({name: weight}, scenario.defaults), options.recommender)
        for name, weights in points.items()
        for weight in weights
    ]
    report = _simulated(scenario, arms, options)
    concepts, found = market_concepts(scenario), []
    for name, weights in points.items():
        outcome = ASKED_OF[concepts[name]]
        arm_of = _outcomes(report, outcome)
        values, seeds = means([arm_of[f"{name}={weight}"] for weight in weights])
        found.append(
            Sweep(
                utility=name,
                outcome=outcome,
                weights=tuple(weights),
                means=tuple(values),
                seeds=seeds,
                spearman=spearman(weights, values),
            )
        )
    return found


def means(arms: Sequence[ArmOutcome]) -> tuple[list[float], int]:
    """The mean of each arm over the seeds with something to measure for all of them, and how many these are."""
    value_AS = np.array([arm.by_seed for arm in arms], dtype=np.float64)
    known_AS = value_AS[:, np.isfinite(value_AS).all(0)]
    return (known_AS.mean(1) if known_AS.size else np.full(len(arms), np.nan)).tolist(), known_AS.shape[1]


def tried(scenario: Scenario, options: argparse.Namespace) -> list[Tried]:
    """Every goal of the set, read and simulated."""
    lines = [json.loads(line) for line in GOALS.read_text("utf-8").splitlines()]
    settings = load_settings()
    proposals = {line["id"]: read_goal(settings, scenario, line["goal"]) for line in lines}
    arms = [_arm("defaults", scenario.defaults, options.recommender)]
    arms += [_arm(goal, proposal.weights, options.recommender) for goal, proposal in proposals.items()]
    report = _simulated(scenario, arms, options)
    return [_judged(line, proposals[line["id"]].source.value, report, options.slack) for line in lines]


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Spearman's rank correlation; ties get their mean rank."""
    return float(np.corrcoef(_ranks(x), _ranks(y))[0, 1])


def sweep_table(sweeps: Sequence[Sweep]) -> Table:
    """A row a utility."""
    table = Table(
        "utility", "outcome", "least weight → most", "seeds", "Spearman", f"at least {ENOUGH:g}", title="Sweeps"
    )
    for sweep in sweeps:
        ends = " ".join(f"{mean:.4g}" for mean in sweep.means)
        enough = "yes" if sweep.spearman >= ENOUGH else "no"
        table.add_row(sweep.utility, sweep.outcome, ends, str(sweep.seeds), f"{sweep.spearman:.2f}", enough)
    return table


def goal_table(goals: Sequence[Tried]) -> Table:
    """A row a goal, and how many did what they were to do."""
    moved, kept = sum(goal.moved for goal in goals), sum(not goal.broken for goal in goals)
    title = f"{moved} of {len(goals)} goals moved what they ask for, {kept} kept their guardrails"
    table = Table("goal", "read by", "asked for", "to be held", "broken", title=title)
    for goal in goals:
        table.add_row(goal.goal, goal.source, _told(goal.raised), _told(goal.held), ", ".join(goal.broken))
    return table


def _judged(line: Mapping[str, Any], source: str, report: SimulationReport, slack: float) -> Tried:
    raised = {name: _change(report, name, line["id"]) for name in line["raise"]}
    held = {name: _change(report, name, line["id"]) for name in line["hold"]}
    broken = tuple(name for name, (change, verdict) in held.items() if verdict == "worse" and change < -slack)
    return Tried(id=line["id"], goal=line["goal"], source=source, raised=raised, held=held, broken=broken)


def _change(report: SimulationReport, concept: str, arm: str) -> tuple[float, str | None]:
    row = next(row for row in report.rows if row.outcome is ASKED_OF[concept])
    found = next(one for one in row.arms if one.arm == arm)
    return (np.nan if found.ratio is None else found.ratio - 1), row.verdict(found)


def _simulated(scenario: Scenario, arms: Sequence[SimulationArm], options: argparse.Namespace) -> SimulationReport:
    plan = SimulationPlan(
        scenario=scenario.name,
        segment=None,
        arms=tuple(arms),
        concepts=market_concepts(scenario),
        seeds=options.seeds,
        days=options.days,
        users=options.users,
        first_seed=options.first_seed,
    )
    columns = (TextColumn("simulating"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=plan.steps)
        return simulate(plan, lambda done: progress.update(task, completed=done), processes=options.processes)


def _arm(name: str, weights: Mapping[str, float], recommender: RecommenderName) -> SimulationArm:
    return SimulationArm(name=name, recommender=recommender, weights=dict(weights), origin="weights", source="human")


def _outcomes(report: SimulationReport, outcome: Outcome) -> dict[str, ArmOutcome]:
    return {arm.arm: arm for row in report.rows if row.outcome is outcome for arm in row.arms}


def _ranks(values: Sequence[float]) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    below = (array[:, None] > array[None, :]).sum(axis=1)
    return below + ((array[:, None] == array[None, :]).sum(axis=1) - 1) / 2


def _told(changes: Mapping[str, tuple[float, str | None]]) -> str:
    return "\n".join(f"{name} {change:+.1%} {verdict or ''}" for name, (change, verdict) in changes.items())


def _swept(sweep: Sweep) -> dict[str, Any]:
    return {
        "utility": sweep.utility,
        "outcome": sweep.outcome.value,
        "weights": sweep.weights,
        "means": sweep.means,
        "seeds": sweep.seeds,
        "spearman": sweep.spearman,
    }


def _tried(goal: Tried) -> dict[str, Any]:
    return {
        "id": goal.id,
        "goal": goal.goal,
        "source": goal.source,
        "raised": goal.raised,
        "held": goal.held,
        "moved": goal.moved,
        "broken": goal.broken,
    }


if __name__ == "__main__":
    main()
