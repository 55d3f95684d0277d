"""Reviews: ask for decisions on a policy, decide, or take it back."""

from __future__ import annotations

from fastapi import APIRouter, Request

from reward_llm.api import policy_desk
from reward_llm.api.access.doorkeeper import principal_of
from reward_llm.api.access.permissions import needs
from reward_llm.api.access.scenario_of import of_policy
from reward_llm.api.context import Here
from reward_llm.api.openapi import json_body, problems
from reward_llm.api.routes.parameters import Id, IdempotencyKey, XActor
from reward_llm.api.standings import policy_wire
from reward_llm.api.wire.standings import DecisionRequest, PolicyWire, ReviewRequest, WithdrawalRequest
from reward_llm.api.writes import taken
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/v1/policies/{policy_id}", tags=["policies"])

_PROBLEMS = problems(400, 404, 409, 413, 422, 503)


@router.post(
    "/review-request",
    summary="Ask for decisions on a policy",
    response_model=PolicyWire,
    responses=_PROBLEMS,
    openapi_extra=json_body(ReviewRequest, required=False),
    dependencies=[needs(Permission.EDIT, of_policy)],
)
async def request_review(
    policy_id: Id, request: Request, here: Here, idempotency_key: IdempotencyKey = None, x_actor: XActor = None
) -> PolicyWire:
    """Let a draft wait for decisions. A decision on a draft does so as well."""
    async with taken(request, here, "review_request.refused", may_be_empty=True) as write:
        standing = await policy_desk.request_review(here.services, policy_id, write)
    return policy_wire(here.services, standing)


@router.post(
    "/review",
    summary="Approve or reject a policy",
    response_model=PolicyWire,
    responses=_PROBLEMS,
    openapi_extra=json_body(DecisionRequest),
    dependencies=[needs(Permission.APPROVE, of_policy)],
)
async def review(
    policy_id: Id, request: Request, here: Here, idempotency_key: IdempotencyKey = None, x_actor: XActor = None
) -> PolicyWire:
    """Decide on exactly the weights that have the content hash.

    Of each person the latest decision counts. A rejection is for good: make another version.
    """
    async with taken(request, here, "review.refused") as write:
        standing = await policy_desk.decide(here.services, policy_id, write)
    return policy_wire(here.services, standing)


@router.post(
    "/withdrawal",
    summary="Take a policy back",
    response_model=PolicyWire,
    responses=_PROBLEMS,
    openapi_extra=json_body(WithdrawalRequest),
    dependencies=[needs(Permission.EDIT, of_policy)],
)
async def withdraw(
    policy_id: Id, request: Request, here: Here, idempotency_key: IdempotencyKey = None, x_actor: XActor = None
) -> PolicyWire:
    """Take back, for good, a policy that isn't in force; its author or an administrator may."""
    async with taken(request, here, "withdrawal.refused") as write:
        anybodys = principal_of(request).may(Permission.ADMINISTER, await of_policy(request))
        standing = await policy_desk.withdraw(here.services, policy_id, write, anybodys=anybodys)
    return policy_wire(here.services, standing)
