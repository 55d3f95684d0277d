"""Ranking: what a ranking service asks for on every request, if it doesn't rank by itself."""

from __future__ import annotations

from fastapi import APIRouter, Request

from reward_llm.api import ranking_desk
from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.body import parse_json, read_body, validated
from reward_llm.api.context import Here
from reward_llm.api.openapi import json_body, problems, without_ranker
from reward_llm.api.wire.rerank import RerankRequest, RerankWire
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/v1/rerank", tags=["ranking"])


@router.post(
    "",
    summary="Rank candidates",
    response_model=RerankWire,
    responses={**problems(400, 404, 413, 422), **without_ranker()},
    openapi_extra=json_body(RerankRequest),
    dependencies=[needs(Permission.READ, Where.IN_BODY)],
)
async def rerank(request: Request, here: Here, caller: Calling) -> RerankWire:
    """The slate with the highest weighted sum of utilities, under the weights in force or under those sent along.

    It is chosen among the lists of one model for all weights and of plain rivals. A list that breaks a rule of the
    surface isn't shown. With `explore`, some slates are drawn among others, with known probabilities, to learn from.
    Nothing of a request is kept.
    """
    limit = here.services.config.rerank_limit_bytes
    sent = validated(RerankRequest, parse_json(await read_body(request, limit), limit))
    caller.require(sent.scenario)
    return await ranking_desk.rerank(here.services, here.metrics, sent)
