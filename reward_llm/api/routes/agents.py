"""Decisions of the user, content and orchestrator agents."""

from __future__ import annotations

from fastapi import APIRouter, Request

from reward_llm.api import agent_desk
from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.body import parse_json, read_body, validated
from reward_llm.api.context import Here
from reward_llm.api.openapi import json_body, problems, without_events
from reward_llm.api.wire.agents import AllocationQuery, DecisionWire
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/v1/agents", tags=["agents"])


@router.post(
    "/decision",
    summary="Have the agents decide",
    response_model=DecisionWire,
    responses={**problems(400, 404, 413, 422), **without_events()},
    openapi_extra=json_body(AllocationQuery),
    dependencies=[needs(Permission.READ, Where.IN_BODY)],
)
async def decide(request: Request, here: Here, caller: Calling) -> DecisionWire:
    """A slate by what events have told of the user and the items, under the weights in force now.

    The user agent says whether to explore, new items bid for at most a fifth of the slots, and the orchestrator fills
    them. Nothing is learned from the request: what came of it is sent to `POST /v1/events`.
    """
    limit = here.services.config.rerank_limit_bytes
    sent = validated(AllocationQuery, parse_json(await read_body(request, limit), limit))
    caller.require(sent.scenario)
    return await agent_desk.decide(here.services, here.metrics, sent)
