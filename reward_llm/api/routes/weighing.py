"""Weighing: what weights a reading asks for, before anybody makes them a policy."""

from __future__ import annotations

from fastapi import APIRouter, Request

from reward_llm.api import weighing_desk
from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.body import parse_json, read_body, validated
from reward_llm.api.context import Here
from reward_llm.api.openapi import json_body, problems
from reward_llm.api.wire.weighing import WeighingRequest, WeighingWire
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/v1/policies/weighing", tags=["policies"])


@router.post(
    "",
    summary="Weigh a reading",
    response_model=WeighingWire,
    responses=problems(400, 404, 413, 422),
    openapi_extra=json_body(WeighingRequest),
    dependencies=[needs(Permission.READ, Where.IN_BODY)],
)
async def weigh(request: Request, here: Here, caller: Calling) -> WeighingWire:
    """The weights that a reading asks for by the rule that goals are weighed by, such as one that a person corrected.

    Nothing is served or kept; `POST /v1/policies` makes the weights a policy.
    """
    limit = here.services.config.body_limit_bytes
    sent = validated(WeighingRequest, parse_json(await read_body(request, limit), limit))
    caller.require(sent.scenario)
    return weighing_desk.weigh(here.services, sent)
