"""The labels of prompts: where they stand, where they stood, and who consents to a move."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from reward_llm.api.access.doorkeeper import principal_of
from reward_llm.api.access.permissions import Where, needs
from reward_llm.api.body import parse_json, read_body, validated
from reward_llm.api.conditions import IfMatchHeader, if_match
from reward_llm.api.context import Here
from reward_llm.api.headers import act_of
from reward_llm.api.openapi import json_body, problems
from reward_llm.api.prompt_desk import MoveCondition
from reward_llm.api.refusals import refusals_on_record
from reward_llm.api.routes.parameters import Cursor, Id, Limit, XActor
from reward_llm.api.wire.base import Listing
from reward_llm.api.wire.prompt_evaluations import LabelMoveWire
from reward_llm.api.wire.prompts import (
    MAX_VERSION,
    LabelMoveRequest,
    OverrideRequest,
    OverrideWire,
    PromptLabelWire,
)
from reward_llm.domain.access import Permission
from reward_llm.domain.prompts import PRODUCTION

router = APIRouter(prefix="/v1/prompts/{name}/labels", tags=["prompts"])

_ETAG = {"ETag": {"description": "Changes with each move of the label.", "schema": {"type": "string"}}}


@router.get(
    "",
    summary="List a prompt's labels",
    response_model=Listing[PromptLabelWire],
    responses=problems(404, 422, 503),
    dependencies=[needs(Permission.READ, Where.SOMEWHERE)],
)
async def list_labels(name: Id, here: Here) -> Listing[PromptLabelWire]:
    """Every label of the prompt, by name."""
    return Listing(items=[PromptLabelWire.of(label) for label in await here.services.prompts.labels(name)])


@router.get(
    "/{label}",
    summary="Get a prompt's label",
    response_model=PromptLabelWire,
    responses={200: {"headers": _ETAG}, **problems(404, 422, 503)},
    dependencies=[needs(Permission.READ, Where.SOMEWHERE)],
)
async def get_label(name: Id, label: Id, response: Response, here: Here) -> PromptLabelWire:
    """Where the label stands now."""
    found = await here.services.prompts.label(name, label)
    response.headers["ETag"] = f'"{found.revision}"'
    return PromptLabelWire.of(found)


@router.put(
    "/{label}",
    summary="Put a label on a version",
    response_model=PromptLabelWire,
    responses={
        200: {"headers": _ETAG},
        201: {"model": PromptLabelWire, "description": "The label is new.", "headers": _ETAG},
        **problems(400, 403, 404, 409, 412, 413, 422, 428, 503, 504),
    },
    openapi_extra=json_body(LabelMoveRequest),
    dependencies=[needs(Permission.EDIT)],
)
async def move_label(
    name: Id,
    label: Id,
    request: Request,
    response: Response,
    here: Here,
    if_match_header: IfMatchHeader = None,
    x_actor: XActor = None,
) -> PromptLabelWire:
    """Put a label on a version, if it still stands where `If-Match` says; `If-None-Match: *` makes a new one.

    Goals are read with the version under `production`, and only approvers move that: it is put on a version that
    reads its golden set as well as its threshold says and no worse than the version before, or that two people
    consented to, neither of them its author.
    """
    limit = here.services.config.body_limit_bytes
    body = await read_body(request, limit)
    async with refusals_on_record(here.services, "prompt.move_refused", request, body):
        if label == PRODUCTION:
            principal_of(request).require(Permission.APPROVE, None)
        condition = MoveCondition(if_match=if_match(request), new=request.headers.get("if-none-match") == "*")
        sent = validated(LabelMoveRequest, parse_json(body, limit))
        moved = await here.prompts.move(name, label, sent, condition, act_of(request, here.services.clock()))
    response.status_code = 201 if condition.new else 200
    response.headers["ETag"] = f'"{moved.revision}"'
    return PromptLabelWire.of(moved)


@router.get(
    "/{label}/history",
    summary="List the moves of a label",
    response_model=Listing[LabelMoveWire],
    responses=problems(404, 422, 503),
    dependencies=[needs(Permission.READ, Where.SOMEWHERE)],
)
async def list_moves(
    name: Id, label: Id, here: Here, cursor: Cursor = None, limit: Limit = 50
) -> Listing[LabelMoveWire]:
    """Who moved the label where, why, and what that rested on; newest first."""
    page = await here.services.prompts.history(name, label, cursor=cursor, limit=limit)
    return Listing(items=[LabelMoveWire.of(m) for m in page.items], next_cursor=page.next_cursor)


@router.get(
    "/{label}/overrides",
    summary="List consents to a version",
    response_model=Listing[OverrideWire],
    responses=problems(404, 422, 503),
    dependencies=[needs(Permission.READ, Where.SOMEWHERE)],
)
async def list_overrides(
    name: Id, label: Id, here: Here, version: Annotated[int, Query(ge=1, le=MAX_VERSION)]
) -> Listing[OverrideWire]:
    """Who consented to the version although it may fall short, oldest first."""
    given = await here.services.prompts.overrides(name, label, version)
    return Listing(items=[OverrideWire.of(o) for o in given])


@router.post(
    "/{label}/overrides",
    summary="Consent to a version that falls short",
    status_code=201,
    response_model=OverrideWire,
    responses=problems(400, 403, 404, 409, 413, 422, 503),
    openapi_extra=json_body(OverrideRequest),
    dependencies=[needs(Permission.APPROVE)],
)
async def consent(name: Id, label: Id, request: Request, here: Here, x_actor: XActor = None) -> OverrideWire:
    """Let a version be promoted however it is measured, once a second person consents as well.

    Its author's consent doesn't count. Who consents twice has consented once.
    """
    limit = here.services.config.body_limit_bytes
    body = await read_body(request, limit)
    async with refusals_on_record(here.services, "prompt.override_refused", request, body):
        sent = validated(OverrideRequest, parse_json(body, limit))
        given = await here.prompts.consent(name, label, sent, act_of(request, here.services.clock()))
    return OverrideWire.of(given)
