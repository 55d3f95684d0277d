"""The scenario of what a path names.

What isn't there is nobody's secret to who may see everything, and is answered as the route would; everybody else is
told that there is nothing by that name.
"""

from __future__ import annotations

from typing import Final

from fastapi import Request

from reward_llm.api.context import Context
from reward_llm.api.experiment_desk import experiments_of
from reward_llm.api.search_desk import searches_of
from reward_llm.api.simulation_desk import simulator_of
from reward_llm.errors import PolicyUnknown

_MAX_DIGITS: Final = 18
"""What every database's integers have room for."""


def number_of(request: Request, name: str) -> int:
    """The number that a path gives; 0, which nothing has, for what is none or too large to be one of ours."""
    digits: str = request.path_params[name]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS else 0


async def of_scenario(request: Request) -> str | None:
    """The scenario itself, which the path calls `name`."""
    name: str = request.path_params["name"]
    return name


async def of_goal(request: Request) -> str | None:
    """The scenario of the goal.

    Raises:
        GoalUnknown: If there is no such goal.
        StoreUnavailable: If it can't be looked up.
    """
    record = await _context(request).services.store.goal(request.path_params["goal_id"])
    return record.goal.scope.scenario


async def of_policy(request: Request) -> str | None:
    """The scenario of the policy.

    Raises:
        PolicyUnknown: If there is no such policy.
        StoreUnavailable: If it can't be looked up.
    """
    context, policy_id = _context(request), request.path_params["policy_id"]
    try:
        return (await context.services.store.policy(policy_id)).scope.scenario
    except PolicyUnknown:
        if policy_id not in context.defaults:
            raise
        return context.defaults[policy_id].scope.scenario


async def of_simulation(request: Request) -> str | None:
    """The scenario of the simulation.

    Raises:
        SimulatorUnavailable: If nothing is simulated here.
        SimulationUnknown: If there is no such simulation, or not any more.
    """
    simulator = simulator_of(_context(request))
    return (await simulator.job(request.path_params["simulation_id"])).plan.scenario


async def of_experiment(request: Request) -> str | None:
    """The scenario of the experiment.

    Raises:
        MetricsUnavailable: If no experiments are run here.
        LoopRecordUnknown: If there is no such experiment.
        StoreUnavailable: If it can't be looked up.
    """
    experiments = experiments_of(_context(request))
    return (await experiments.experiment(request.path_params["experiment_id"])).plan.scope.scenario


async def of_search(request: Request) -> str | None:
    """The scenario of the search.

    Raises:
        SearchUnavailable: If nothing is searched here.
        LoopRecordUnknown: If there is no such search.
        StoreUnavailable: If it can't be looked up.
    """
    searches = searches_of(_context(request))
    return (await searches.study(request.path_params["search_id"])).plan.scenario


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context
