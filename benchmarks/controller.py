"""A controller in the market: from a tenth to a fifth of all impressions for new content, and what gets in its way.

    python benchmarks/controller.py                              ten markets, a table
    python benchmarks/controller.py --seeds 2 --json --plot controller.svg
    python benchmarks/controller.py --gain                       the share by weight, on seeds that aren't reported

One round of pages is one minute, and thirty of them are a day of the market, at the end of which content is
published and grows old. Slates are drawn with chance (Plackett-Luce) by what is popular and by the weights in force.
The controller is the service's own, over its store in a SQLite file: every move is a version that went through the
gate and the grant. From minute 60 on the share is to be 20 %; at minute 240 as much again is published a day as
before; from minute 330 to 340 no event arrives. The other arm is the constant weight that gave 20 % on the seeds of
--gain.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import math
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import structlog
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from steered_market import DAY, Minute, Plant

from reward_llm.agents.simulation.intervals import mean_interval
from reward_llm.console.charts import Series, line_chart
from reward_llm.domain.act import Act
from reward_llm.domain.admission import Admission
from reward_llm.domain.control import (
    Approval,
    BasePolicy,
    Controller,
    ControllerPlan,
    ControllerState,
    Exposure,
    Gains,
    Start,
)
from reward_llm.domain.control_documents import content_hash, controller_document
from reward_llm.domain.control_grant import moved, requirement_of
from reward_llm.domain.goal import Window
from reward_llm.domain.loop import LoopKind
from reward_llm.domain.metrics import Estimate, Metric, MetricWindow
from reward_llm.domain.scenario import Bounds, Scope
from reward_llm.domain.weights import Weights
from reward_llm.loop.control.controllers import Controllers
from reward_llm.resources import scenarios_dir
from reward_llm.store import SqlStore, upgrade
from reward_llm.store.controlling import SqlMoves
from reward_llm.store.database import Database
from reward_llm.store.governance import SqlGovernance
from reward_llm.store.loop import SqlLoop
from reward_llm.validation import gate
from reward_llm.validation.scenarios import load_scenarios

HOME_FEED: Final = load_scenarios([scenarios_dir()])["home_feed"]
SCOPE: Final = Scope("home_feed")
NOON: Final = datetime(2026, 6, 18, 12, tzinfo=UTC)
BEGIN, DISTURBED, GAP, RESUMED, END = 60, 240, 330, 340, 420
SETPOINT: Final = 0.2
BAND: Final = 0.03
SMOOTH: Final = 15
"""Minutes of the mean that is judged."""
QUIET: Final = 30
"""Minutes for which it must stay in the band to have settled."""
TENTH, FIFTH = 0.03, 0.186
"""Weights that gave 10 % and 20 % on the seeds of --gain."""
GAIN_SEEDS: Final = 900
PLAN: Final = ControllerPlan(
    utility="cold_start",
    target=Exposure(metric=Metric.COLD_START_SHARE, setpoint=SETPOINT, window=MetricWindow.parse("5m")),
    gains=Gains(proportional=0.2, integral=0.12),
    envelope=Bounds(min=0.02, max=0.3),
    slew=0.03,
    dead_band=0.01,
    period=timedelta(minutes=2),
    stale_after=timedelta(minutes=2),
)


class Feed:
    """Online metrics of minutes, of which those in the gap never came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minutes: list[tuple[datetime, Minute]] = []

    def tell(self, minute: Minute) -> None:
        """Take in a minute's events."""
        self._minutes.append((self._clock(), minute))

    async def read(
        self, scenario: str, segment: str | None, policy_id: str | None, metric: Metric, window: MetricWindow
    ) -> Estimate:
        """The share of the window that ends now."""
        now = self._clock()
        inside = [minute for at, minute in self._minutes if now - window.length < at <= now]
        shown, new = sum(m.impressions for m in inside), sum(m.new for m in inside)
        return Estimate(value=new / shown if shown else None, low=None, high=None, events=shown)

    async def newest(self, scenario: str) -> datetime | None:
        """The last minute that was told of."""
        return self._minutes[-1][0] if self._minutes else None


class Clock:
    """Simulated time."""

    def __init__(self) -> None:
        self.minute = 0

    def __call__(self) -> datetime:
        """Noon and so many minutes."""
        return NOON + timedelta(minutes=self.minute)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What happened by minute; a move is a version that came into force."""

    shares: list[float]
    impressions: list[int]
    weights: list[float]
    moves: list[int]


async def controlled(seed: int, users: int, plan: ControllerPlan = PLAN) -> Run:
    """A market under the service's controller."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/store.db"
        await upgrade(url)
        database = Database.open(url)
        try:
            return await _controlled(database, seed, users, plan)
        finally:
            await database.aclose()


async def _controlled(database: Database, seed: int, users: int, plan: ControllerPlan) -> Run:
    clock = Clock()
    governance, admission = SqlGovernance(database), Admission(scenario=HOME_FEED, gate=gate.check)
    base = moved(HOME_FEED.defaults, PLAN.utility, TENTH, HOME_FEED)
    policy = await SqlStore(database).record_edit(SCOPE, base, Act(actor="ann", at=clock()))
    await governance.activate(policy.policy_id, Window(), Act(actor="ann", at=clock()), admission)
    feed, records = Feed(clock), SqlLoop(database)
    plant = Plant(seed, base, users=users, days=END // DAY, doubled_on=DISTURBED // DAY)

    controllers = Controllers(
        records=records,
        governance=governance,
        moves=SqlMoves(database),
        online=feed,  # type: ignore[arg-type]
        admissions={"home_feed": admission},
        clock=clock,
    )
    run = Run(shares=[], impressions=[], weights=[], moves=[])
    for number, minute in enumerate(plant.minutes()):
        clock.minute = number + 1
        before = plant.weights
        if minute.impressions and not GAP <= number < RESUMED:
            feed.tell(minute)
        if number == BEGIN:
            of = BasePolicy(policy_id=policy.policy_id, content_hash=policy.content_hash, weights=base)
            await _approved(records, plan, of, admission, clock())
        await controllers.run()
        plant.weights = (await governance.scope(SCOPE, clock())).stack[0].policy.weights
        _note(run, minute, before["cold_start"])
        if plant.weights != before:
            run.moves.append(number)
    return run


async def _approved(
    records: SqlLoop, plan: ControllerPlan, base: BasePolicy, admission: Admission, at: datetime
) -> None:
    needed = requirement_of(plan, base, admission)
    approval = Approval(actor="li", at=at, content_hash=content_hash(plan, base))
    controller = Controller(
        name="a fifth for new content",
        plan=plan,
        base=base,
        needed=needed.approvals,
        self_approval=needed.self_approval,
        approvals=(approval,) * needed.approvals,
        start=Start(at=at - PLAN.period, policy_id=base.policy_id, weight=base.weights[PLAN.utility]),
    )
    document = controller_document(controller)
    await records.create(LoopKind.CONTROLLER, SCOPE, ControllerState.RUNNING, document, Act(actor="ann", at=at))


def constant(seed: int, users: int) -> Run:
    """The same market under the constant weight."""
    plant = Plant(
        seed,
        moved(HOME_FEED.defaults, PLAN.utility, TENTH, HOME_FEED),
        users=users,
        days=END // DAY,
        doubled_on=DISTURBED // DAY,
    )
    run = Run(shares=[], impressions=[], weights=[], moves=[])
    for number, minute in enumerate(plant.minutes()):
        _note(run, minute, plant.weights["cold_start"])
        if number == BEGIN:
            plant.weights = moved(HOME_FEED.defaults, PLAN.utility, FIFTH, HOME_FEED)
    return run


def _note(run: Run, minute: Minute, weight: float) -> None:
    run.shares.append(minute.new / max(1, minute.impressions))
    run.impressions.append(minute.impressions)
    run.weights.append(weight)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A run in numbers: shares in per cent of impressions, times in minutes, NaN where it never settled."""

    before: float
    settling_min: float
    overshoot: float
    steady_error: float
    steady_absolute: float
    disturbed_peak: float
    recovery_min: float
    moves_in_gap: float
    after_gap_absolute: float
    all_absolute: float
    moves: float


def judged(run: Run) -> Judged:
    share = smoothed(run)
    steady = share[BEGIN + 60 : DISTURBED] - SETPOINT
    after = share[DISTURBED:GAP]
    peak = float(after[np.abs(after - SETPOINT).argmax()] - SETPOINT)
    resumed = share[RESUMED + SMOOTH :] - SETPOINT
    whole = share[BEGIN + 60 :] - SETPOINT
    return Judged(
        before=100 * float(share[BEGIN - 1 - DAY : BEGIN].mean()),
        settling_min=settling(share, BEGIN + 1, DISTURBED),
        overshoot=100 * max(0.0, float(share[BEGIN:DISTURBED].max()) - SETPOINT),
        steady_error=100 * float(steady.mean()),
        steady_absolute=100 * float(np.abs(steady).mean()),
        disturbed_peak=100 * peak,
        recovery_min=settling(share, DISTURBED, END),
        moves_in_gap=float(sum(GAP + 2 <= m < RESUMED for m in run.moves)),
        after_gap_absolute=100 * float(np.abs(resumed).mean()),
        all_absolute=100 * float(np.abs(whole).mean()),
        moves=float(len(run.moves)),
    )


def smoothed(run: Run) -> np.ndarray:
    """The share of the last `SMOOTH` minutes, at each."""
    new = np.cumsum(np.array(run.shares) * np.array(run.impressions))
    shown = np.cumsum(run.impressions)
    start = np.maximum(np.arange(len(new)) - SMOOTH, -1)
    before = np.where(start >= 0, new[start], 0.0), np.where(start >= 0, shown[start], 0)
    found: np.ndarray = (new - before[0]) / (shown - before[1])
    return found


def settling(share: np.ndarray, since: int, until: int) -> float:
    """Minutes from `since` until it stays within the band for `QUIET` minutes."""
    inside = np.abs(share - SETPOINT) <= BAND
    for minute in range(since, min(until, len(share)) - QUIET):
        if inside[minute : minute + QUIET].all():
            return float(minute - since)
    return math.nan


def main() -> None:
    """Run the markets, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=10)
    parser.add_argument("--users", type=int, default=400)
    parser.add_argument("--gains", type=float, nargs=3, metavar=("P", "I", "D"), help="others than those reported")
    parser.add_argument("--gain", action="store_true", help="the static gain on other seeds")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plot", type=Path, help="where to draw the first seed")
    options = parser.parse_args()
    if options.gain:
        show_gain(options.users)
        return
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    plan = planned(options.gains)
    runs: dict[str, list[Run]] = {"controller": [], "constant": []}
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("markets", total=2 * options.seeds)
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            runs["controller"].append(asyncio.run(controlled(seed, options.users, plan)))
            bar.advance(task)
            runs["constant"].append(constant(seed, options.users))
            bar.advance(task)
    found = {arm: [judged(run) for run in several] for arm, several in runs.items()}
    if options.json:
        print(json.dumps({arm: [asdict(j) for j in several] for arm, several in found.items()}, indent=2))
    else:
        show(found)
    if options.plot:
        options.plot.write_text(plot(runs), "utf-8")


def planned(gains: Sequence[float] | None) -> ControllerPlan:
    """The plan that is reported, or one with other gains."""
    if gains is None:
        return PLAN
    return replace(PLAN, gains=Gains(proportional=gains[0], integral=gains[1], derivative=gains[2]))


def show_gain(users: int) -> None:
    table = Table("weight", "share of new content, %", "by seed")
    for weight in (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35):
        weights = moved(HOME_FEED.defaults, PLAN.utility, weight, HOME_FEED)
        shares = [share_at(weights, seed, users) for seed in range(GAIN_SEEDS, GAIN_SEEDS + 3)]
        table.add_row(f"{weight:.3f}", f"{100 * np.mean(shares):.1f}", ", ".join(f"{100 * s:.1f}" for s in shares))
    Console().print(table)


def share_at(weights: Weights, seed: int, users: int) -> float:
    days = DISTURBED // DAY
    minutes = list(Plant(seed, weights, users=users, days=days, doubled_on=days).minutes())
    return sum(m.new for m in minutes) / sum(m.impressions for m in minutes)


def show(found: dict[str, list[Judged]]) -> None:
    table = Table("", *found)
    for one in fields(Judged):
        table.add_row(one.name, *(_cell([getattr(j, one.name) for j in several]) for several in found.values()))
    Console().print(table)


def _cell(values: Sequence[float]) -> str:
    known = [v for v in values if not math.isnan(v)]
    if len(known) < 2:
        return f"in {len(known)} of {len(values)}"
    found = mean_interval(known)
    rest = "" if len(known) == len(values) else f", in {len(known)} of {len(values)}"
    return f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]{rest}"


def plot(runs: dict[str, list[Run]]) -> str:
    """The first seed: the share under both arms, the set-point, and the controller's weight."""
    minutes = list(map(float, range(len(runs["controller"][0].shares))))
    lines = [Series(name=arm, xs=minutes, ys=list(smoothed(several[0]))) for arm, several in runs.items()]
    lines.append(Series(name="set-point", xs=[BEGIN, minutes[-1]], ys=[SETPOINT, SETPOINT]))
    lines.append(Series(name="weight", xs=minutes, ys=runs["controller"][0].weights))
    return str(line_chart(lines, title="share of new content by minute"))


if __name__ == "__main__":
    main()
