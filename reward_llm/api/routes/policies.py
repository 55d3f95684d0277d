"""Policies: edit, list and look at them."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from reward_llm.api import policy_desk
from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.access.scenario_of import of_policy
from reward_llm.api.conditions import IfMatchHeader, if_match
from reward_llm.api.context import Here
from reward_llm.api.openapi import etag_header, json_body, problems
from reward_llm.api.routes.parameters import Cursor, Id, IdempotencyKey, Limit, Name, XActor
from reward_llm.api.standings import policy_wires
from reward_llm.api.wire.base import Listing
from reward_llm.api.wire.policies import PolicyEdit
from reward_llm.api.wire.standings import PolicyWire
from reward_llm.api.writes import taken
from reward_llm.domain.access import Permission
from reward_llm.domain.scenario import Scope
from reward_llm.errors import InvalidInput, PolicyUnknown, Violation

router = APIRouter(prefix="/v1/policies", tags=["policies"])


@router.post(
    "",
    summary="Set weights by hand",
    status_code=201,
    response_model=PolicyWire,
    responses={201: etag_header("The content hash."), **problems(400, 404, 412, 413, 422, 503)},
    openapi_extra=json_body(PolicyEdit),
    dependencies=[needs(Permission.EDIT, Where.IN_BODY)],
)
async def edit(
    request: Request,
    response: Response,
    here: Here,
    caller: Calling,
    idempotency_key: IdempotencyKey = None,
    if_match_header: IfMatchHeader = None,
    x_actor: XActor = None,
) -> PolicyWire:
    """Make a person's weights the scope's next policy; they pass the same gate as a model's.

    `If-Match` with the content hash of the scope's newest policy refuses the edit if somebody made a newer one.
    """
    async with taken(request, here, "policy.refused") as write:
        sent = write.sent(PolicyEdit)
        caller.require(sent.scenario)
        policy = await policy_desk.edit(here.services, sent, if_match(request), write)
    response.headers["Location"] = f"/v1/policies/{policy.policy_id}"
    response.headers["ETag"] = f'"{policy.content_hash}"'
    (wire,) = await policy_wires(here.services, [policy])
    return wire


@router.get(
    "",
    summary="List policies",
    response_model=Listing[PolicyWire],
    responses=problems(422, 503),
    dependencies=[needs(Permission.READ, Where.LISTED)],
)
async def list_policies(
    here: Here,
    caller: Calling,
    scenario: Name = None,
    segment: Name = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Listing[PolicyWire]:
    """Policies that one may read, newest first; of a scenario with all its segments, or of one segment."""
    page = await here.services.store.policies(
        scope=named_scope(scenario, segment), scenarios=caller.scenarios(scenario or None), cursor=cursor, limit=limit
    )
    return Listing(items=await policy_wires(here.services, page.items), next_cursor=page.next_cursor)


@router.get(
    "/{policy_id}",
    summary="Get a policy",
    response_model=PolicyWire,
    responses={200: etag_header("The content hash."), **problems(404, 422, 503)},
    dependencies=[needs(Permission.READ, of_policy)],
)
async def get_policy(policy_id: Id, response: Response, here: Here) -> PolicyWire:
    """One policy with its state, its decisions and what it still needs; a scenario's defaults are one as well."""
    try:
        policy = await here.services.store.policy(policy_id)
    except PolicyUnknown:
        if policy_id not in here.defaults:
            raise
        policy = here.defaults[policy_id]
    response.headers["ETag"] = f'"{policy.content_hash}"'
    (wire,) = await policy_wires(here.services, [policy])
    return wire


def named_scope(scenario: str | None, segment: str | None) -> Scope | None:
    """The segment that a list is asked for, None if none is named.

    Raises:
        InvalidInput: If its scenario isn't named as well.
    """
    if segment and not scenario:
        message = "a segment is one of a scenario's; name that as well"
        raise InvalidInput(message, violations=[Violation(path="segment", code="alone", message=message)])
    return Scope(scenario, segment) if scenario and segment else None
