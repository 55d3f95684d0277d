"""Prompts and their versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from reward_llm.api.access.permissions import Where, needs
from reward_llm.api.body import parse_json, read_body, validated
from reward_llm.api.context import Context, Here
from reward_llm.api.headers import act_of, claim_of, none_match
from reward_llm.api.openapi import json_body, problems
from reward_llm.api.refusals import refusals_on_record
from reward_llm.api.routes.parameters import Cursor, Id, IdempotencyKey, Limit, XActor
from reward_llm.api.wire.base import Listing
from reward_llm.api.wire.prompts import (
    MAX_VERSION,
    NewVersion,
    PromptDiffWire,
    PromptVersionLine,
    PromptVersionWire,
    PromptWire,
)
from reward_llm.domain.access import Permission
from reward_llm.domain.prompts import PromptVersion

router = APIRouter(prefix="/v1/prompts", tags=["prompts"])

Number = Annotated[int, Path(ge=1, le=MAX_VERSION)]
_ETAG = {"ETag": {"description": "The content hash.", "schema": {"type": "string"}}}


@router.get(
    "",
    summary="List prompts",
    response_model=Listing[PromptWire],
    responses=problems(503),
    dependencies=[needs(Permission.READ, Where.SOMEWHERE)],
)
async def list_prompts(here: Here) -> Listing[PromptWire]:
    """Every prompt with its newest version and its labels, by name."""
    return Listing(items=[PromptWire.of(summary) for summary in await here.services.prompts.prompts()])


@router.get(
    "/{name}",
    summary="Get a prompt",
    response_model=PromptWire,
    responses=problems(404, 422, 503),
    dependencies=[needs(Permission.READ, Where.SOMEWHERE)],
)
async def get_prompt(name: Id, here: Here) -> PromptWire:
    """One prompt with its newest version and its labels."""
    store = here.services.prompts
    await store.labels(name)
    return PromptWire.of(next(s for s in await store.prompts() if s.newest.name == name))


@router.get(
    "/{name}/versions",
    summary="List a prompt's versions",
    response_model=Listing[PromptVersionLine],
    responses=problems(404, 422, 503),
    dependencies=[needs(Permission.READ, Where.SOMEWHERE)],
)
async def list_versions(name: Id, here: Here, cursor: Cursor = None, limit: Limit = 50) -> Listing[PromptVersionLine]:
    """The prompt's versions, newest first."""
    store = here.services.prompts
    page, labels = await store.versions(name, cursor=cursor, limit=limit), await store.labels(name)
    return Listing(items=[PromptVersionLine.of(v, labels) for v in page.items], next_cursor=page.next_cursor)


@router.get(
    "/{name}/versions/{number}",
    summary="Get a version of a prompt",
    response_model=PromptVersionWire,
    responses={
        200: {"headers": _ETAG},
        304: {"description": "It is the one that `If-None-Match` names.", "headers": _ETAG},
        **problems(404, 422, 503),
    },
    dependencies=[needs(Permission.READ, Where.SOMEWHERE)],
)
async def get_version(name: Id, number: Number, request: Request, here: Here) -> Response:
    """One version with all that it consists of, field by field and as a file."""
    version = await here.services.prompts.version(name, number)
    headers = _headers(version)
    if not none_match(request, version.content_hash):
        return Response(status_code=304, headers=headers)
    body = await _whole(version, here)
    return Response(body.model_dump_json(), headers=headers, media_type="application/json")


@router.post(
    "/{name}/versions",
    summary="Make a prompt's next version",
    status_code=201,
    response_model=PromptVersionWire,
    responses={201: {"headers": _ETAG}, **problems(400, 403, 404, 413, 422, 503)},
    openapi_extra=json_body(NewVersion),
    dependencies=[needs(Permission.EDIT)],
)
async def add_version(
    name: Id,
    request: Request,
    response: Response,
    here: Here,
    idempotency_key: IdempotencyKey = None,
    x_actor: XActor = None,
) -> PromptVersionWire:
    """Make what is sent the next version; it changes nothing until a label is put on it.

    Content that a version has already gives that version.
    """
    limit = here.services.config.body_limit_bytes
    body = await read_body(request, limit)
    async with refusals_on_record(here.services, "prompt.refused", request, body):
        document = parse_json(body, limit)
        act, claim = act_of(request, here.services.clock()), claim_of(request, document)
        version = await here.prompts.add(name, validated(NewVersion, document), act, claim)
    response.headers.update(_headers(version))
    response.headers["Location"] = f"/v1/prompts/{name}/versions/{version.number}"
    return await _whole(version, here)


@router.get(
    "/{name}/diff",
    summary="Compare two versions of a prompt",
    response_model=PromptDiffWire,
    responses=problems(404, 422, 503),
    dependencies=[needs(Permission.READ, Where.SOMEWHERE)],
)
async def get_diff(
    name: Id,
    here: Here,
    before: Annotated[int, Query(alias="from", ge=1, le=MAX_VERSION)],
    after: Annotated[int, Query(alias="to", ge=1, le=MAX_VERSION)],
) -> PromptDiffWire:
    """In what two versions differ: their templates line by line, the rest field by field."""
    store = here.services.prompts
    old, new = await store.version(name, before), await store.version(name, after)
    return PromptDiffWire.of(here.services.workshop.diff(old, new), await store.labels(name))


async def _whole(version: PromptVersion, here: Context) -> PromptVersionWire:
    labels = await here.services.prompts.labels(version.name)
    return PromptVersionWire.whole(version, labels, here.services.workshop.text_of(version.content, version.number))


def _headers(version: PromptVersion) -> dict[str, str]:
    return {"ETag": f'"{version.content_hash}"', "Cache-Control": "no-cache"}
