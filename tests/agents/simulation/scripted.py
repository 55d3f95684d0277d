"""A process that says it simulates; what the first arm is called says how that ends.

"dies": without a word; "waits": after one day, until it is killed; "garbles": with what isn't a document; "breaks
off": with a problem; anything else: with a report in which every arm has its weight of gmv in all outcomes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from reward_llm.agents.simulation.lines import problem_line, progress_line, read_plan, report_line
from reward_llm.agents.simulation.months import Month, report_of
from reward_llm.domain.simulation import Outcome, SimulationPlan, SimulationProblem, SimulationReport

COMMAND = (sys.executable, "-m", "tests.agents.simulation.scripted")


def report(plan: SimulationPlan) -> SimulationReport:
    months = {
        arm.name: [_month(arm.weights["gmv"], seed, plan.days) for seed in range(plan.seeds)] for arm in plan.arms
    }
    return report_of(months, 0.5)


def _month(value: float, seed: int, days: int) -> Month:
    value_D = np.full(days, value)
    return Month(whole=dict.fromkeys(Outcome, value + seed / 1000), by_day=dict.fromkeys(Outcome, value_D))


def say(line: str) -> None:
    print(line, flush=True)


def die(_: SimulationPlan) -> None:
    sys.exit(3)


def wait(_: SimulationPlan) -> None:
    say(progress_line(1))
    time.sleep(600)


def garble(_: SimulationPlan) -> None:
    say("simulating …")


def break_off(_: SimulationPlan) -> None:
    say(problem_line(SimulationProblem(code="simulation_failed", message="too few users", hint="Take more.")))


def finish(plan: SimulationPlan) -> None:
    for done in range(1, plan.steps + 1):
        say(progress_line(done))
    say(report_line(report(plan)))


ENDS: dict[str, Callable[[SimulationPlan], None]] = {
    "dies": die,
    "waits": wait,
    "garbles": garble,
    "breaks off": break_off,
}

if __name__ == "__main__":
    sent = read_plan(sys.stdin.buffer.readline())
    ENDS.get(sent.arms[0].name, finish)(sent)
