"""Goals solved beside their proposals, and people who take the solved weights."""

from __future__ import annotations

import asyncio

from reward_llm.api.services import Services
from reward_llm.api.wire.solving import SolvedRequest
from reward_llm.api.writes import Write
from reward_llm.domain.goal import GoalState
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.ports import GoalRecord
from reward_llm.domain.solving import Solution
from reward_llm.domain.source import Source
from reward_llm.errors import GateRefused, NotFound, NothingSolved


async def solution_of(services: Services, record: GoalRecord) -> Solution | None:
    """Both answers to a goal, from the weights that were in force when it was read.

    None if it has no proposal, demands nothing, or nobody knows what the weights of its scenario bring.
    """
    goal, proposal, policy = record.goal, record.proposal, record.policy
    scenario = services.scenarios.get(goal.scope.scenario)
    if services.solver is None or scenario is None or proposal is None or policy is None:
        return None
    if record.state is GoalState.NO_CHANGE:
        return None
    try:
        active = services.board.held_at(goal.scope, policy.created_at)
    except NotFound:
        return None
    return await asyncio.to_thread(
        services.solver.solve, goal, proposal.interpretation, policy.weights, scenario, active.weights
    )


async def take(services: Services, goal_id: str, write: Write) -> RewardPolicy:
    """Make a goal's solved weights the scope's next policy, through the same gate as everybody's; not in force yet.

    Raises:
        GoalUnknown: If there is no such goal.
        NothingSolved: If it has no solved weights.
        GateRefused: If they break a bound, a guardrail or the largest step from the weights that are in force by now.
        IdempotencyConflict: If the key came with another request before.
        StoreUnavailable: If it can't be put on record.
    """
    act = write.saying(write.sent(SolvedRequest).reason)
    record = await services.store.goal(goal_id)
    if write.claim is not None and (made := await services.store.edit_of(write.claim)):
        return made
    solution = await solution_of(services, record)
    if solution is None:
        hint = "A goal is solved if it has a target or a guardrail, and its scenario a response surface."
        raise NothingSolved(f"the goal {goal_id} has no solved weights", hint=hint)
    await services.board.refresh()
    scope, weights = record.goal.scope, solution.solved.weights
    active = services.board.lookup(scope, act.at).policy.weights
    violations = services.gate(weights, services.scenarios[scope.scenario], active)
    if violations:
        message = "the solved weights don't pass the gate any more: " + "; ".join(map(str, violations))
        raise GateRefused(message, violations=violations)
    return await services.store.record_edit(scope, weights, act, write.claim, source=Source.SOLVED, origin=goal_id)
