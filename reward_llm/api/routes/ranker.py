"""The ranker that ranks here: what it is, and why it ranks as it does."""

from __future__ import annotations

from fastapi import APIRouter, Request

from reward_llm.api import ranking_desk
from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.body import parse_json, read_body, validated
from reward_llm.api.context import Here
from reward_llm.api.openapi import json_body, problems, without_ranker
from reward_llm.api.wire.ranker import ExplanationRequest, RankerWire, SlateExplanationWire
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/v1/ranker", tags=["ranking"])


@router.get(
    "",
    summary="Get the ranker's card",
    response_model=RankerWire,
    responses=without_ranker(),
    dependencies=[needs(Permission.READ, Where.SOMEWHERE)],
)
async def get_ranker(here: Here) -> RankerWire:
    """The checkpoint that ranks here: what it was trained on, and how well it did on lists that came later."""
    return RankerWire.of(await ranking_desk.ranker_of(here.services).card())


@router.post(
    "/explanation",
    summary="Explain a slate",
    response_model=SlateExplanationWire,
    responses={**problems(400, 404, 413, 422), **without_ranker()},
    openapi_extra=json_body(ExplanationRequest),
    dependencies=[needs(Permission.READ, Where.IN_BODY)],
)
async def explain(request: Request, here: Here, caller: Calling) -> SlateExplanationWire:
    """What each item of a logged request's slate is worth to which utility, and which utilities moved it.

    The slate is the one under the weights in force for everybody, or under those sent along.
    """
    limit = here.services.config.body_limit_bytes
    sent = validated(ExplanationRequest, parse_json(await read_body(request, limit), limit))
    caller.require(sent.scenario)
    return await ranking_desk.explain(here.services, sent)
