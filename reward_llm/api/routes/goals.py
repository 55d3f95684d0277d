"""Goals: submit one, and see what it was read as."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.access.scenario_of import of_goal
from reward_llm.api.body import parse_json, read_body
from reward_llm.api.context import Context, Here
from reward_llm.api.goal_answers import goal_wire, goal_wires
from reward_llm.api.headers import act_of, claim_of
from reward_llm.api.openapi import json_body, problems
from reward_llm.api.refusals import refusals_on_record
from reward_llm.api.routes.parameters import Cursor, Id, IdempotencyKey, Limit, Name, XActor
from reward_llm.api.submissions import goal_of
from reward_llm.api.wire.base import Listing
from reward_llm.api.wire.goals import GoalAccepted, GoalWire, Submission
from reward_llm.domain.access import Permission
from reward_llm.domain.act import Act
from reward_llm.domain.goal import Goal, GoalState
from reward_llm.domain.ports import GoalRecord, IdempotencyClaim
from reward_llm.errors import GoalPending, InvalidInput, RewardLLMError, StoreUnavailable, Violation

router = APIRouter(prefix="/v1/goals", tags=["goals"])

_LOCATION = {"headers": {"Location": {"description": "The goal.", "schema": {"type": "string"}}}}
_WAIT = {"true": True, "1": True, "false": False, "0": False}


@router.post(
    "",
    summary="Submit a goal",
    status_code=201,
    response_model=GoalWire,
    responses={
        201: {"description": "The goal was read.", **_LOCATION},
        202: {"model": GoalAccepted, "description": "The goal is on record and will be read.", **_LOCATION},
        **problems(400, 404, 409, 413, 422, 503),
    },
    openapi_extra=json_body(Submission),
    dependencies=[needs(Permission.SUBMIT, Where.IN_BODY)],
)
async def submit(
    request: Request,
    here: Here,
    caller: Calling,
    wait: Annotated[
        str, Query(description="false answers at once.", json_schema_extra={"type": "boolean", "default": True})
    ] = "true",
    idempotency_key: IdempotencyKey = None,
    x_actor: XActor = None,
) -> Response:
    """Have a business goal read into an interpretation and weights.

    There is always an answer: where the model can't give one, rules do, and `proposal.reason` says why. On
    `no_change` the proposal is the policy that is active now.
    """
    body = await read_body(request, here.services.config.body_limit_bytes)
    try:
        async with refusals_on_record(here.services, "goal.refused", request, body):
            waits = _waits(wait)
            act = act_of(request, here.services.clock())
            goal, claim, removed = _taken(request, here, body, act)
            caller.require(goal.scope.scenario)
            receipt = await here.desk.receive(goal, claim, removed, act)
    except StoreUnavailable:
        raise
    except RewardLLMError as exc:
        here.metrics.refused(exc.code)
        raise
    if not waits:
        return _accepted(receipt.record)
    try:
        return await _answer(await here.desk.settled(receipt), here)
    except TimeoutError as exc:
        known_id = receipt.record.goal.id
        if known_id == goal.id:
            return _accepted(receipt.record)
        raise GoalPending(f"the goal {known_id} is still being read", hint=f"Look at /v1/goals/{known_id}.") from exc


@router.get(
    "",
    summary="List goals",
    response_model=Listing[GoalWire],
    responses=problems(422, 503),
    dependencies=[needs(Permission.READ, Where.LISTED)],
)
async def list_goals(
    here: Here,
    caller: Calling,
    scenario: Name = None,
    state: GoalState | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Listing[GoalWire]:
    """Goals of the scenarios that one may read, newest first."""
    page = await here.services.store.goals(
        scenarios=caller.scenarios(scenario), state=state, cursor=cursor, limit=limit
    )
    return Listing(items=await goal_wires(here.services, page.items), next_cursor=page.next_cursor)


@router.get(
    "/{goal_id}",
    summary="Get a goal",
    response_model=GoalWire,
    responses=problems(404, 422, 503),
    dependencies=[needs(Permission.READ, of_goal)],
)
async def get_goal(goal_id: Id, here: Here) -> GoalWire:
    """One goal with its reading and its proposal; these are null while it is `received`."""
    return await goal_wire(here.services, await here.services.store.goal(goal_id))


def _taken(request: Request, here: Context, body: bytes, act: Act) -> tuple[Goal, IdempotencyClaim | None, int]:
    services = here.services
    document: Any = parse_json(body, services.config.body_limit_bytes)
    claim = claim_of(request, document)
    goal, removed = goal_of(
        document,
        scenarios=services.scenarios,
        goal_id=services.new_id(),
        actor=act.actor,
        now=act.at,
    )
    return goal, claim, removed


def _waits(wait: str) -> bool:
    if wait.lower() not in _WAIT:
        message = "must be true or false"
        raise InvalidInput(f"wait {message}", violations=[Violation(path="wait", code="boolean", message=message)])
    return _WAIT[wait.lower()]


def _accepted(record: GoalRecord) -> Response:
    body = GoalAccepted(id=record.goal.id, state=record.state)
    return Response(body.model_dump_json(), 202, headers=_location(record), media_type="application/json")


async def _answer(record: GoalRecord, here: Context) -> Response:
    wire = await goal_wire(here.services, record)
    body = wire.model_dump_json(by_alias=True)
    return Response(body, 201, headers=_location(record), media_type="application/json")


def _location(record: GoalRecord) -> dict[str, str]:
    return {"Location": f"/v1/goals/{record.goal.id}"}
