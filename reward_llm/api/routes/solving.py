"""Solved goals: taking the weights that are expected to bring what a goal demands."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from reward_llm.api import solving_desk
from reward_llm.api.access.permissions import needs
from reward_llm.api.access.scenario_of import of_goal
from reward_llm.api.context import Here
from reward_llm.api.openapi import etag_header, json_body, problems
from reward_llm.api.routes.parameters import Id, IdempotencyKey, XActor
from reward_llm.api.standings import policy_wires
from reward_llm.api.wire.solving import SolvedRequest
from reward_llm.api.wire.standings import PolicyWire
from reward_llm.api.writes import taken
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/v1/goals/{goal_id}/solved", tags=["goals"])


@router.post(
    "",
    summary="Take the solved weights",
    status_code=201,
    response_model=PolicyWire,
    responses={201: etag_header("The content hash."), **problems(400, 404, 409, 413, 422, 503)},
    openapi_extra=json_body(SolvedRequest, required=False),
    dependencies=[needs(Permission.EDIT, of_goal)],
)
async def take(
    request: Request,
    response: Response,
    goal_id: Id,
    here: Here,
    idempotency_key: IdempotencyKey = None,
    x_actor: XActor = None,
) -> PolicyWire:
    """Make the weights of the goal's `solved` a policy with source `solved`; it is a proposal like any other.

    It passes the same gate as a person's edit and needs the same approvals; nothing is activated.
    """
    async with taken(request, here, "policy.refused", may_be_empty=True) as write:
        policy = await solving_desk.take(here.services, goal_id, write)
    response.headers["Location"] = f"/v1/policies/{policy.policy_id}"
    response.headers["ETag"] = f'"{policy.content_hash}"'
    (wire,) = await policy_wires(here.services, [policy])
    return wire
