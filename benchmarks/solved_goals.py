"""Whether solved goals are met in simulation, and whether those that can't be are said to be so.

    python benchmarks/solved_goals.py                             60 goals, on seeds that no surface was made of
    python benchmarks/solved_goals.py --part read                 what is read and solved, nothing simulated
    python benchmarks/solved_goals.py --goals my.jsonl --surface my.json --kept runs.json --json

Every goal of the file has the targets that a person wrote beside it. It is read by the model that ships and solved
over the surface, for which only the text counts. Then the solved weights and the model's own live through the same
seeds as the defaults, in the market that the surface was made of. A goal is met if the means over the seeds meet all
targets that were written, without any slack.

What can be met is told by simulation alone: a goal is feasible if some weights meet it that were simulated here, for
whichever goal, and infeasible if none do.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.table import Table

from reward_llm.agents.simulation.what_if import SimulatedWhatIf
from reward_llm.bootstrap import load_all_scenarios, load_settings
from reward_llm.bootstrap.reading import open_reader
from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Interpretation
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.domain.simulation import ASKED_OF, RecommenderName
from reward_llm.domain.solving import Basis, Feasibility, Solution
from reward_llm.domain.weighting import weights_for
from reward_llm.domain.weights import Weights
from reward_llm.loop.solving.solver import SurfaceSolver
from reward_llm.loop.surface.files import load_surface
from reward_llm.loop.surface.shelf import SHIPPED
from reward_llm.loop.surface.surface import Surface
from reward_llm.reading.rules import RuleReader
from reward_llm.resources import checkpoint_dir

GOALS: Final = Path(__file__).parent / "goals" / "targets.jsonl"
Means = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A goal with the targets that a person wrote beside it."""

    id: str
    goal: str
    targets: Sequence[Mapping[str, Any]]

    def met(self, means: Means, now: Means) -> bool:
        """Whether the means meet all targets, given those of the defaults."""
        return all(means[_metric(t)] >= bound(t, now) for t in self.targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """What became of one goal before anything was simulated."""

    written: Written
    model: Weights
    solution: Solution | None
    as_written: bool
    """Whether what was read demands what was written, and nothing else."""

    @property
    def weights(self) -> Weights | None:
        """The solved weights; none where a goal is said to be infeasible, the model's where nothing was solved."""
        if self.solution is None:
            return self.model
        infeasible = self.solution.feasibility is Feasibility.INFEASIBLE
        return None if infeasible else self.solution.solved.weights

    @property
    def said(self) -> str:
        """What the solver says of it."""
        return self.solution.feasibility.value if self.solution else "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One goal in simulation."""

    solved: Solved
    feasible: bool
    met: bool
    met_by_model: bool
    hopeless: frozenset[str]
    """Utilities whose targets no weights met that were simulated."""

    @property
    def names_right(self) -> bool:
        """Whether the first demand that is said to be in the way is one that no weights met."""
        solution = self.solved.solution
        return bool(solution and solution.in_the_way and solution.in_the_way[0].demand.utility in self.hopeless)


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("read", "all"), default="all")
    parser.add_argument("--goals", type=Path, default=GOALS)
    parser.add_argument("--surface", type=Path, default=SHIPPED / "home_feed.json")
    parser.add_argument("--seed", type=int, default=700)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--kept", type=Path, help="A file that simulated means are kept in, and taken from.")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    scenario, surface = load_all_scenarios(load_settings())["home_feed"], load_surface(options.surface)
    goals = solved(scenario, surface, options.goals)
    if options.part == "read":
        Console().print(reading_table(goals))
        return
    means = simulated(scenario, surface, goals, options)
    judgements = judged(scenario, surface, goals, means)
    if options.json:
        print(
            json.dumps({"summary": summary(judgements), "goals": [_row(j) for j in judgements]}, ensure_ascii=False)
        )
        return
    Console().print(table(judgements))
    for name, (part, whole) in summary(judgements).items():
        print(f"{name}: {part} of {whole}")


def solved(scenario: Scenario, surface: Surface, file: Path) -> list[Solved]:
    """Every goal, read by the model that ships and solved."""
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    written = [Written(id=line["id"], goal=line["goal"], targets=line["targets"]) for line in lines]
    with open_reader(checkpoint_dir()) as read:
        readings = read([w.goal for w in written])
    return [_solved(scenario, surface, w, r) for w, r in zip(written, readings, strict=True)]


def simulated(
    scenario: Scenario, surface: Surface, goals: Sequence[Solved], options: argparse.Namespace
) -> dict[Weights, Means]:
    """The means of everything under the defaults and every goal's two answers, on seeds of their own."""
    answers = [g.weights for g in goals if g.weights is not None]
    wanted = dict.fromkeys([scenario.defaults, *answers, *(g.model for g in goals)])
    kept = json.loads(options.kept.read_text()) if options.kept and options.kept.exists() else {}
    made = surface.made_of
    with Progress(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=len(wanted) * options.seeds)
        market = SimulatedWhatIf(
            scenario=scenario,
            recommender=RecommenderName(made["recommender"]),
            users=made["users"],
            days=made["days"],
            seeds=options.seeds,
            on_month=lambda: progress.advance(task),
        )
        for weights in wanted:
            key = " ".join(f"{v:.4f}" for v in (*weights.vector, options.seed, options.seeds))
            if key not in kept:
                (found,) = market.expected([weights], seed=options.seed)
                kept[key] = {name: e.mean for name, e in found.items()}
                if options.kept:
                    options.kept.write_text(json.dumps(kept))
            wanted[weights] = kept[key]
    return wanted


def judged(
    scenario: Scenario, surface: Surface, goals: Sequence[Solved], means: Mapping[Weights, Means]
) -> list[Judgement]:
    """What simulation says of every goal."""
    now = means[scenario.defaults]
    design = [{n: o.means[place] for n, o in surface.observations.items()} for place in range(len(surface.points))]
    tried = [*((m, now) for m in means.values()), *((m, design[0]) for m in design)]
    return [
        Judgement(
            solved=goal,
            feasible=any(goal.written.met(m, now) for m in means.values()),
            met=goal.weights is not None and goal.written.met(means[goal.weights], now),
            met_by_model=goal.written.met(means[goal.model], now),
            hopeless=frozenset(
                target["utility"]
                for target in goal.written.targets
                if not any(m[_metric(target)] >= bound(target, then) for m, then in tried)
            ),
        )
        for goal in goals
    ]


def summary(judgements: Sequence[Judgement]) -> dict[str, tuple[int, int]]:
    """How many of how many."""
    feasible = [j for j in judgements if j.feasible]
    infeasible = [j for j in judgements if not j.feasible]
    said = [j for j in infeasible if j.solved.said == "infeasible"]
    return {
        "demands read as they were written": (sum(j.solved.as_written for j in judgements), len(judgements)),
        "feasible, met by solved weights": (sum(j.met for j in feasible), len(feasible)),
        "feasible, met by the model's weights alone": (sum(j.met_by_model for j in feasible), len(feasible)),
        "feasible, said to be feasible": (sum(j.solved.said == "feasible" for j in feasible), len(feasible)),
        "feasible, said to be infeasible": (sum(j.solved.said == "infeasible" for j in feasible), len(feasible)),
        "infeasible, said to be so": (len(said), len(infeasible)),
        "said to be so, with a target in the way that no weights met": (sum(j.names_right for j in said), len(said)),
    }


def table(judgements: Sequence[Judgement]) -> Table:
    """A row a goal."""
    shown = Table("goal", "in simulation", "said", "solved weights", "the model's alone", "in the way")
    for one in judgements:
        solution = one.solved.solution
        blockers = [f"{b.demand.utility} → {b.nearest:.3g}" for b in solution.in_the_way] if solution else []
        shown.add_row(
            one.solved.written.goal,
            "feasible" if one.feasible else "infeasible",
            one.solved.said,
            "met" if one.met else "missed",
            "met" if one.met_by_model else "missed",
            ", ".join(blockers),
        )
    return shown


def reading_table(goals: Sequence[Solved]) -> Table:
    """What was read of every goal, and said of it."""
    shown = Table("goal", "as written", "said", "demands")
    for one in goals:
        demands = one.solution.demands.demands if one.solution else ()
        words = [f"{d.utility} {d.basis.value} {d.value:g}" for d in demands]
        shown.add_row(one.written.goal, "yes" if one.as_written else "no", one.said, ", ".join(words))
    return shown


def bound(target: Mapping[str, Any], now: Means) -> float:
    """The value that a metric has to reach."""
    least: float = target["at_least"]
    return least * now[_metric(target)] if target.get("of") == "now" else least


def _metric(target: Mapping[str, Any]) -> str:
    return ASKED_OF[target["utility"]].value


def _solved(scenario: Scenario, surface: Surface, written: Written, reading: Interpretation | None) -> Solved:
    read = reading if reading is not None else _by_rules(scenario, written.goal)
    model = weights_for(read.intents, scenario, scenario.defaults)
    goal = Goal(id=written.id, scope=Scope(scenario.name), text=written.goal, submitted_at=_NOON)
    solver = SurfaceSolver(surfaces={scenario.name: surface})
    solution = solver.solve(goal, read, model, scenario, scenario.defaults)
    return Solved(written=written, model=model, solution=solution, as_written=_same(written, solution))


def _by_rules(scenario: Scenario, text: str) -> Interpretation:
    """What the rule reader reads, as where no answer of the model's passes the gate."""
    return RuleReader(scenario).read(text)


def _same(written: Written, solution: Solution | None) -> bool:
    demands = solution.demands.demands if solution else ()
    read = {(d.utility, d.basis is Basis.RELATIVE, round(d.value, 6)) for d in demands}
    return read == {(t["utility"], t.get("of") == "now", round(t["at_least"], 6)) for t in written.targets}


def _row(one: Judgement) -> dict[str, Any]:
    solution = one.solved.solution
    return {
        "id": one.solved.written.id,
        "feasible": one.feasible,
        "said": one.solved.said,
        "met": one.met,
        "met_by_model": one.met_by_model,
        "as_written": one.solved.as_written,
        "weights": dict(one.solved.weights) if one.solved.weights else None,
        "model": dict(one.solved.model),
        "in_the_way": [b.demand.utility for b in solution.in_the_way] if solution else [],
    }


_NOON: Final = datetime(2026, 6, 18, 12, tzinfo=UTC)

if __name__ == "__main__":
    main()
