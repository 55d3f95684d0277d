"""What came of goals."""

from __future__ import annotations

from fastapi import APIRouter

from reward_llm.api import memory_desk
from reward_llm.api.access.permissions import needs
from reward_llm.api.access.scenario_of import of_goal
from reward_llm.api.context import Here
from reward_llm.api.openapi import problems
from reward_llm.api.routes.parameters import Id
from reward_llm.api.wire.memory import GoalOutcomesWire
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/v1/goals", tags=["goals"])


@router.get(
    "/{goal_id}/outcomes",
    summary="See what came of a goal",
    response_model=GoalOutcomesWire,
    responses=problems(404, 422, 503),
    dependencies=[needs(Permission.READ, of_goal)],
)
async def outcomes(goal_id: Id, here: Here) -> GoalOutcomesWire:
    """What was predicted of the goal's weights when they got into force, and what was observed since.

    Weights are looked at when they have been in force for a day, for a week, or for all the time they were to be.
    """
    return await memory_desk.outcomes(here.services, goal_id)
