"""Previews of policies: what weights would change before anybody is served them."""

from __future__ import annotations

from fastapi import APIRouter, Request

from reward_llm.api import ranking_desk
from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.body import parse_json, read_body, validated
from reward_llm.api.context import Here
from reward_llm.api.openapi import json_body, problems, without_ranker
from reward_llm.api.wire.preview import PreviewRequest, PreviewWire
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/v1/policies/preview", tags=["policies"])


@router.post(
    "",
    summary="Preview weights",
    response_model=PreviewWire,
    responses={**problems(400, 404, 413, 422), **without_ranker()},
    openapi_extra=json_body(PreviewRequest),
    dependencies=[needs(Permission.READ, Where.IN_BODY)],
)
async def preview(request: Request, here: Here, caller: Calling) -> PreviewWire:
    """What the weights would change on logged requests, against those in force for everybody.

    Every number is what the ranker's evaluator expects, with bootstrap intervals over the requests; nothing is served
    or kept.
    """
    limit = here.services.config.body_limit_bytes
    sent = validated(PreviewRequest, parse_json(await read_body(request, limit), limit))
    caller.require(sent.scenario)
    return await ranking_desk.preview(here.services, sent)
