"""Asking what came of goals."""

from __future__ import annotations

from reward_llm.api.services import Services
from reward_llm.api.wire.memory import GoalOutcomesWire, TriedWire


async def outcomes(services: Services, goal_id: str) -> GoalOutcomesWire:
    """What was predicted of a goal's weights, and what came of them.

    Raises:
        GoalUnknown: If there is no such goal.
        StoreUnavailable: If that can't be read.
    """
    record = await services.store.goal(goal_id)
    memory = await services.memories.of(goal_id) if services.memories else None
    return GoalOutcomesWire(
        goal_id=goal_id,
        scenario=record.goal.scope.scenario,
        segment=record.goal.scope.segment,
        tried=[TriedWire.of(tried, memory) for tried in memory.tried] if memory else [],
    )
