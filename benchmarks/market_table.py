"""Thirty days of the market under every recommender: means, 95 % intervals over seeds, and who is apart from whom.

    python benchmarks/market_table.py                                   ten seeds, 1,000 users, every recommender
    python benchmarks/market_table.py --seeds 3 --users 200 --only item_cf bandit
    python benchmarks/market_table.py --html table.html --json > table.json
    python benchmarks/market_table.py --untrained --seeds 3 --users 300      our agents with and without learning

A published account of such a system reports its own figures against collaborative filtering with manual boosting; the
ratios of those stand beside ours against the same kind of baseline. Its market isn't this one, so that at most the
ratios can be compared. Seeds and weights are the same for all; the weights are the scenario's defaults.

"ours best, apart" says whether our interval lies on the better side of every other. Markets differ more than
recommenders do, so the last column compares seed by seed: ours less the best of the others, with its interval.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn, track
from rich.table import Table

from reward_llm.agents.orchestrator.marketplace import LearnedMarketplace
from reward_llm.agents.simulation.intervals import mean_interval
from reward_llm.agents.simulation.months import Month, report_of
from reward_llm.agents.simulation.page import OUTCOME_TITLES, formatted, report_page
from reward_llm.agents.simulation.run import Life, known_weights, market_of, simulate
from reward_llm.bootstrap import load_all_scenarios, load_settings
from reward_llm.domain.preview import Interval
from reward_llm.domain.simulation import (
    MAX_DAYS,
    OUTCOME_FACTS,
    ArmOutcome,
    Outcome,
    OutcomeRow,
    RecommenderName,
    SimulationArm,
    SimulationPlan,
    SimulationReport,
    market_concepts,
)

WIDTH: Final = 200
"""Of the table, wherever it goes."""
ROWS: Final = tuple(Outcome)[:7]
OURS: Final = RecommenderName.MARKETPLACE
FIRST: Final = RecommenderName.ITEM_CF
PUBLISHED: Final = {
    Outcome.NEW_CONTENT_CTR: (0.8, 3.8),
    Outcome.INTEREST_DIVERSITY: (31.0, 62.0),
    Outcome.COLD_START_SUCCESS: (12.0, 67.0),
    Outcome.NEXT_DAY_RETENTION: (58.0, 67.0),
    Outcome.BOOST_COST: (0.8, 0.3),
    Outcome.GMV: (284.0, 349.0),
    Outcome.WATCH_TIME: (24.0, 34.0),
}
"""Before and after, by the account."""


def main() -> None:
    """Print the tables, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=MAX_DAYS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", nargs="+", default=[name.value for name in RecommenderName])
    parser.add_argument("--untrained", action="store_true", help="compare the agents with untrained ones alone")
    parser.add_argument("--html", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.untrained:
        options.only = [OURS.value]
    plan = plan_of(options)
    report = untrained(plan) if options.untrained else simulated(plan, options.processes)
    if options.html:
        options.html.write_text(report_page(plan, report), "utf-8")
    if options.json:
        print(json.dumps(document(plan, report), indent=2))
        return
    console = Console(width=max(Console().width, WIDTH))
    console.print(outcomes(plan, report))
    if not options.untrained:
        console.print(ratios(report))
    console.print(f"{report.duration_s / 60:.1f} minutes")


def plan_of(options: argparse.Namespace) -> SimulationPlan:
    """The recommenders that were named, the baseline of the account first."""
    scenario = load_all_scenarios(load_settings())["home_feed"]
    names = sorted((RecommenderName(name) for name in options.only), key=lambda name: name is not FIRST)
    arms = (
        SimulationArm(
            name=name.value,
            recommender=name,
            weights=dict(scenario.defaults),
            origin="default",
            source="default",
        )
        for name in names
    )
    return SimulationPlan(
        scenario=scenario.name,
        segment=None,
        arms=tuple(arms),
        concepts=market_concepts(scenario),
        seeds=options.seeds,
        days=options.days,
        users=options.users,
        first_seed=options.first_seed,
    )


def simulated(plan: SimulationPlan, processes: int) -> SimulationReport:
    """The report, with a bar meanwhile."""
    columns = (TextColumn("simulating"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=plan.steps)
        return simulate(plan, lambda done: progress.update(task, completed=done), processes=processes)


def untrained(plan: SimulationPlan) -> SimulationReport:
    """Our agents in the plan's months, who keep to the centre of their choices, and as they have learned."""
    began, config = time.perf_counter(), market_of(plan.users, plan.days)
    weights = dict(known_weights(plan.market_weights(plan.arms[0])))
    months: dict[str, list[Month]] = {"untrained": [], OURS.value: []}
    for seed in track(range(plan.first_seed, plan.first_seed + plan.seeds), console=Console(stderr=True)):
        life = Life(OURS.value, config, OURS, weights, seed)
        months["untrained"].append(life.lived(LearnedMarketplace()))
        months[OURS.value].append(life.month())
    return report_of(months, time.perf_counter() - began)


def outcomes(plan: SimulationPlan, report: SimulationReport) -> Table:
    """A row an outcome, a column a recommender; ours is marked where it stands apart from all others."""
    title = f"{plan.seeds} seeds, {plan.users:,} users, {plan.days} days; mean and {report.confidence:.0%} interval"
    table = Table(
        "", *(arm.arm for arm in report.rows[0].arms), "ours best, apart", "less the best other", title=title
    )
    for row in report.rows:
        cells = [_cell(row, arm) for arm in row.arms]
        apart = {True: "yes", False: "no", None: ""}[stands_apart(row)]
        table.add_row(OUTCOME_TITLES[row.outcome], *cells, apart, _less(row))
    return table


def ratios(report: SimulationReport) -> Table:
    """Ours to the baseline, beside the account's."""
    table = Table("", "account", "ratio", "ours to item_cf", title="Ratios to collaborative filtering with boosting")
    for row in report.rows[: len(ROWS)]:
        before, after = PUBLISHED[row.outcome]
        ours = _of(row, OURS)
        ratio = "–" if ours is None or ours.ratio is None else f"{ours.ratio:.2f}"
        table.add_row(OUTCOME_TITLES[row.outcome], f"{before:g} → {after:g}", f"{after / before:.2f}", ratio)
    return table


def stands_apart(row: OutcomeRow) -> bool | None:
    """Whether our interval lies on the better side of every other; None if we aren't in it."""
    ours = _of(row, OURS)
    if ours is None:
        return None
    others = [arm.interval for arm in row.arms if arm is not ours]
    if ours.interval is None or None in others:
        return False
    if OUTCOME_FACTS[row.outcome].better == "higher":
        return all(ours.interval.low > other.high for other in others if other)
    return all(ours.interval.high < other.low for other in others if other)


def lead(row: OutcomeRow) -> tuple[str, Interval] | None:
    """The best of the others by its mean, and ours less it, seed by seed; None where either is missing."""
    ours, others = _of(row, OURS), [arm for arm in row.arms if arm.arm != OURS.value and arm.interval]
    if ours is None or ours.interval is None or not others:
        return None
    sign = 1 if OUTCOME_FACTS[row.outcome].better == "higher" else -1
    best = max(others, key=lambda arm: sign * arm.interval.mean if arm.interval else 0.0)
    pairs = zip(ours.by_seed, best.by_seed, strict=True)
    return best.arm, mean_interval([mine - its for mine, its in pairs if mine is not None and its is not None])


def document(plan: SimulationPlan, report: SimulationReport) -> dict[str, Any]:
    """Everything that the tables say."""
    return {
        "seeds": plan.seeds,
        "users": plan.users,
        "days": plan.days,
        "minutes": report.duration_s / 60,
        "rows": {row.outcome.value: _row(row) for row in report.rows},
    }


def _row(row: OutcomeRow) -> dict[str, Any]:
    arms = {
        arm.arm: {
            "mean": arm.interval and arm.interval.mean,
            "low": arm.interval and arm.interval.low,
            "high": arm.interval and arm.interval.high,
            "ratio": arm.ratio,
            "verdict": row.verdict(arm),
            "by_seed": arm.by_seed,
        }
        for arm in row.arms
    }
    before, after = PUBLISHED.get(row.outcome, (None, None))
    return {"arms": arms, "ours_apart": stands_apart(row), "account_ratio": after / before if before else None}


def _of(row: OutcomeRow, name: RecommenderName) -> ArmOutcome | None:
    return next((arm for arm in row.arms if arm.arm == name.value), None)


def _less(row: OutcomeRow) -> str:
    found = lead(row)
    if found is None:
        return ""
    name, difference = found
    unit = OUTCOME_FACTS[row.outcome].unit
    low, high = (formatted(value, unit) for value in (difference.low, difference.high))
    return f"{name}\n{low} to {high}"


def _cell(row: OutcomeRow, arm: ArmOutcome) -> str:
    if arm.interval is None:
        return "–"
    unit = OUTCOME_FACTS[row.outcome].unit
    return "{}\n{} to {}".format(
        *(formatted(v, unit) for v in (arm.interval.mean, arm.interval.low, arm.interval.high))
    )


if __name__ == "__main__":
    main()
