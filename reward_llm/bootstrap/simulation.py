"""What simulates, and reads goals for simulations, in the service and without one."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from reward_llm.bootstrap.basics import now
from reward_llm.bootstrap.models import build_model, let_openmp_wait
from reward_llm.bootstrap.reading import build_proposer
from reward_llm.domain.goal import Goal
from reward_llm.domain.policy import Proposal, default_policy
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.errors import SimulatorUnavailable
from reward_llm.settings import Settings
from reward_llm.validation.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from reward_llm.domain.ports import Simulator
    from reward_llm.domain.simulation import SimulationPlan, SimulationReport

_AGENTS_EXTRA: Final = "Install the agents extra: pip install 'reward-llm[agents]'."


def build_simulator() -> Simulator:
    """What simulates for the service, one job at a time in a process of its own."""
    from reward_llm.agents.simulation.jobs import Jobs

    return Jobs(now)


def simulate(plan: SimulationPlan, processes: int, on_progress: Callable[[int], None]) -> SimulationReport:
    """The report of a plan, simulated here by so many processes.

    Raises:
        WeightsInvalid: If the market knows none of the utilities that have a weight in some arm.
        SimulatorUnavailable: If what simulations need isn't installed.
    """
    let_openmp_wait()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # each process has a core, and its arrays are small
    try:
        from reward_llm.agents.simulation.run import simulate as run
    except ModuleNotFoundError as exc:
        raise SimulatorUnavailable(f"simulations need {exc.name}", hint=_AGENTS_EXTRA) from exc
    return run(plan, on_progress, processes=processes)


def read_goal(settings: Settings, scenario: Scenario, text: str) -> Proposal:
    """What a goal is read as, against the scenario's defaults and with the model of the settings.

    Raises:
        GoalInvalid: If it can't be read at all.
    """
    goal = Goal(id="goal_simulated", scope=Scope(scenario.name), text=clean(text)[0], submitted_at=now())
    model = build_model(settings)

    async def proposed() -> Proposal:
        try:
            active = default_policy(scenario, None, goal.submitted_at)
            return await build_proposer(settings, model).propose(goal, scenario, active)
        finally:
            if model is not None:
                await model.aclose()

    return asyncio.run(proposed())
