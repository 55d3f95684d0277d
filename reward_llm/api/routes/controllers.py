"""Controllers: a weight that follows a metric, within what people granted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from reward_llm.api import controller_desk
from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.context import Context, Here
from reward_llm.api.openapi import json_body, problems
from reward_llm.api.routes.parameters import Cursor, Id, IdempotencyKey, Limit, Name, XActor
from reward_llm.api.wire.base import Listing
from reward_llm.api.wire.controllers import (
    MAX_READINGS,
    ControllerApproval,
    ControllerReason,
    ControllerRequest,
    ControllerSummaryWire,
    ControllerWire,
)
from reward_llm.api.writes import Write, taken
from reward_llm.domain.access import Permission
from reward_llm.domain.control import ControllerState
from reward_llm.domain.loop import LoopRecord

router = APIRouter(prefix="/v1/controllers", tags=["controllers"])

_PROBLEMS = problems(400, 404, 409, 412, 413, 422, 503)

Readings = Annotated[int, Query(ge=0, le=MAX_READINGS, description="How many of its last looks.")]


async def of_controller(request: Request) -> str | None:
    """The scenario of the controller that a path names.

    Raises:
        LoopRecordUnknown: If there is no such controller.
        StoreUnavailable: If it can't be looked up.
    """
    context: Context = request.app.state.context
    return (await controller_desk.found(context, request.path_params["controller_id"])).scope.scenario


@router.post(
    "",
    summary="Propose a controller",
    status_code=201,
    response_model=ControllerWire,
    responses=problems(400, 404, 409, 413, 422, 503),
    openapi_extra=json_body(ControllerRequest),
    dependencies=[needs(Permission.EDIT, Where.IN_BODY)],
)
async def create(
    request: Request,
    response: Response,
    here: Here,
    caller: Calling,
    idempotency_key: IdempotencyKey = None,
    x_actor: XActor = None,
) -> ControllerWire:
    """Ask for a weight that follows a metric, on the policy in force.

    It runs when as many have approved as a change to either end of its envelope needs; if none are needed, at once.
    """
    async with taken(request, here, "controller.refused") as write:
        sent = write.sent(ControllerRequest)
        caller.require(sent.scenario)
        record = await controller_desk.create(here, sent, write)
    response.headers["Location"] = f"/v1/controllers/{record.id}"
    return await controller_desk.with_readings(here, record, 0)


@router.get(
    "",
    summary="List controllers",
    response_model=Listing[ControllerSummaryWire],
    responses=problems(422, 503),
    dependencies=[needs(Permission.READ, Where.LISTED)],
)
async def list_controllers(
    here: Here,
    caller: Calling,
    scenario: Name = None,
    state: ControllerState | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Listing[ControllerSummaryWire]:
    """Controllers, newest first, without their looks."""
    page = await controller_desk.listed(here, caller.scenarios(scenario or None), state, cursor, limit)
    return Listing(items=list(page.items), next_cursor=page.next_cursor)


@router.get(
    "/{controller_id}",
    summary="Get a controller",
    response_model=ControllerWire,
    responses=problems(404, 422, 503),
    dependencies=[needs(Permission.READ, of_controller)],
)
async def get_controller(
    controller_id: Id, here: Here, response: Response, readings: Readings = 200
) -> ControllerWire:
    """How it stands, and what it saw and did last."""
    response.headers["Cache-Control"] = "no-store"
    record = await controller_desk.found(here, controller_id)
    return await controller_desk.with_readings(here, record, readings)


@router.post(
    "/{controller_id}/approval",
    summary="Approve of a controller",
    response_model=ControllerWire,
    responses=_PROBLEMS,
    openapi_extra=json_body(ControllerApproval),
    dependencies=[needs(Permission.APPROVE, of_controller)],
)
async def approve(
    controller_id: Id, request: Request, here: Here, idempotency_key: IdempotencyKey = None, x_actor: XActor = None
) -> ControllerWire:
    """Grant exactly what has the content hash; with the last approval that is needed it starts."""
    return await _done(controller_id, request, here, controller_desk.approve)


@router.post(
    "/{controller_id}/pause",
    summary="Pause a controller",
    response_model=ControllerWire,
    responses=_PROBLEMS,
    openapi_extra=json_body(ControllerReason),
    dependencies=[needs(Permission.EDIT, of_controller)],
)
async def pause(
    controller_id: Id, request: Request, here: Here, idempotency_key: IdempotencyKey = None, x_actor: XActor = None
) -> ControllerWire:
    """Have it leave the weight as it is."""
    return await _done(controller_id, request, here, controller_desk.pause)


@router.post(
    "/{controller_id}/resume",
    summary="Resume a controller",
    response_model=ControllerWire,
    responses=_PROBLEMS,
    openapi_extra=json_body(ControllerReason),
    dependencies=[needs(Permission.EDIT, of_controller)],
)
async def resume(
    controller_id: Id, request: Request, here: Here, idempotency_key: IdempotencyKey = None, x_actor: XActor = None
) -> ControllerWire:
    """Go on from the weight in force, if that is its base's or its own."""
    return await _done(controller_id, request, here, controller_desk.resume)


@router.post(
    "/{controller_id}/end",
    summary="End a controller",
    response_model=ControllerWire,
    responses=_PROBLEMS,
    openapi_extra=json_body(ControllerReason),
    dependencies=[needs(Permission.EDIT, of_controller)],
)
async def end(
    controller_id: Id, request: Request, here: Here, idempotency_key: IdempotencyKey = None, x_actor: XActor = None
) -> ControllerWire:
    """End it for good; the weights in force stay."""
    return await _done(controller_id, request, here, controller_desk.end)


async def _done(
    controller_id: str, request: Request, here: Context, do: Callable[[Context, str, Write], Awaitable[LoopRecord]]
) -> ControllerWire:
    async with taken(request, here, "controller.refused") as write:
        record = await do(here, controller_id, write)
    return await controller_desk.with_readings(here, record, 1)
