"""Policies: edit, list, and put into force."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from reward_llm.api import policy_desk
from reward_llm.api.body import parse_json, read_body, validated
from reward_llm.api.context import Here
from reward_llm.api.headers import act_of, claim_of
from reward_llm.api.openapi import json_body, problems
from reward_llm.api.refusals import refusals_on_record
from reward_llm.api.routes.parameters import Cursor, Id, IdempotencyKey, Limit, Name, XActor
from reward_llm.api.wire.base import Listing
from reward_llm.api.wire.policies import ActivationRequest, ActivationWire, PolicyEdit, PolicyWire
from reward_llm.domain.scenario import Scope
from reward_llm.errors import InvalidInput, PolicyUnknown, Violation

router = APIRouter(prefix="/v1/policies", tags=["policies"])


@router.post(
    "",
    summary="Set weights by hand",
    status_code=201,
    response_model=PolicyWire,
    responses=problems(400, 404, 413, 422, 503),
    openapi_extra=json_body(PolicyEdit),
)
async def edit(
    request: Request,
    response: Response,
    here: Here,
    idempotency_key: IdempotencyKey = None,
    x_actor: XActor = None,
) -> PolicyWire:
    """Make a person's weights the scope's next policy; they pass the same gate as a model's."""
    limit = here.services.config.body_limit_bytes
    body = await read_body(request, limit)
    async with refusals_on_record(here.services, "policy.refused", request, body):
        document = parse_json(body, limit)
        act, claim = act_of(request, here.services.clock()), claim_of(request, document)
        policy = await policy_desk.edit(here.services, validated(PolicyEdit, document), act, claim)
    response.headers["Location"] = f"/v1/policies/{policy.policy_id}"
    return PolicyWire.of(policy)


@router.get("", summary="List policies", response_model=Listing[PolicyWire], responses=problems(422, 503))
async def list_policies(
    here: Here, scenario: Name = None, segment: Name = None, cursor: Cursor = None, limit: Limit = 50
) -> Listing[PolicyWire]:
    """Policies, newest first; of a scenario with all its segments, or of one segment."""
    if segment and not scenario:
        message = "a segment is one of a scenario's; name that as well"
        raise InvalidInput(message, violations=[Violation(path="segment", code="alone", message=message)])
    scope = Scope(scenario, segment) if scenario and segment else None
    page = await here.services.store.policies(scope=scope, scenario=scenario or None, cursor=cursor, limit=limit)
    return Listing(items=[PolicyWire.of(p) for p in page.items], next_cursor=page.next_cursor)


@router.get("/{policy_id}", summary="Get a policy", response_model=PolicyWire, responses=problems(404, 422, 503))
async def get_policy(policy_id: Id, here: Here) -> PolicyWire:
    """One policy; a scenario's defaults are one as well."""
    try:
        return PolicyWire.of(await here.services.store.policy(policy_id))
    except PolicyUnknown:
        if policy_id not in here.defaults:
            raise
        return PolicyWire.of(here.defaults[policy_id])


@router.post(
    "/{policy_id}/activation",
    summary="Put a policy into force",
    response_model=ActivationWire,
    responses=problems(400, 404, 413, 422, 503),
    openapi_extra=json_body(ActivationRequest, required=False),
)
async def activate(
    policy_id: Id,
    request: Request,
    here: Here,
    idempotency_key: IdempotencyKey = None,
    x_actor: XActor = None,
) -> ActivationWire:
    """Serve the policy's weights from now on, or in a window; activating an earlier one again is a rollback."""
    limit = here.services.config.body_limit_bytes
    body = await read_body(request, limit)
    async with refusals_on_record(here.services, "activation.refused", request, body):
        document = parse_json(body, limit) if body else {}
        act, claim = act_of(request, here.services.clock()), claim_of(request, document)
        sent = validated(ActivationRequest, document)
        activation = await policy_desk.activate(here.services, policy_id, sent, act, claim)
    return ActivationWire.of(activation)
