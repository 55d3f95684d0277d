"""Activations: put policies into force, and change or end that."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response

from reward_llm.api import activation_desk
from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.access.scenario_of import number_of, of_policy
from reward_llm.api.conditions import IfMatchHeader, if_match, required_if_match
from reward_llm.api.context import Context, Here
from reward_llm.api.openapi import etag_header, json_body, problems
from reward_llm.api.routes.parameters import Cursor, Id, IdempotencyKey, Limit, Name, XActor
from reward_llm.api.routes.policies import named_scope
from reward_llm.api.wire.activations import (
    ActivationChangeRequest,
    ActivationRequest,
    ActivationWire,
    ConflictWire,
    EndRequest,
)
from reward_llm.api.wire.base import Listing, MomentIn
from reward_llm.api.writes import taken
from reward_llm.domain.access import Permission
from reward_llm.domain.activation import Activation
from reward_llm.domain.goal import Window

router = APIRouter(tags=["activations"])

_MAX_SEQUENCE: Final = 2**53
_ETAG = etag_header("The revision.")

Sequence = Annotated[int, Path(ge=1, le=_MAX_SEQUENCE, description="The activation's number.")]


async def of_activation(request: Request) -> str | None:
    """The scenario of the activation that a path names.

    Raises:
        ActivationUnknown: If there is no such activation.
        StoreUnavailable: If it can't be looked up.
    """
    context: Context = request.app.state.context
    activation = await context.services.governance.activation(number_of(request, "sequence"))
    return activation.policy.scope.scenario


@router.post(
    "/v1/policies/{policy_id}/activation",
    summary="Put a policy into force",
    response_model=ActivationWire,
    responses={200: _ETAG, **problems(400, 404, 409, 413, 422, 503)},
    openapi_extra=json_body(ActivationRequest, required=False),
    dependencies=[needs(Permission.EDIT, of_policy)],
)
async def activate(
    policy_id: Id,
    request: Request,
    response: Response,
    here: Here,
    idempotency_key: IdempotencyKey = None,
    x_actor: XActor = None,
) -> ActivationWire:
    """Serve the policy's weights from now on or in a window, to everybody or to a share of the users.

    It must have the approvals that the scenario's review rules ask for over what is in force when it begins. What
    lies below an activation returns when that ends.
    """
    async with taken(request, here, "activation.refused", may_be_empty=True) as write:
        activation = await activation_desk.activate(here.services, policy_id, write)
    return _wire(activation, here, response)


@router.get(
    "/v1/policies/{policy_id}/conflicts",
    summary="Find what an activation would cut into",
    response_model=Listing[ConflictWire],
    responses=problems(404, 422, 503),
    dependencies=[needs(Permission.READ, of_policy)],
)
async def list_conflicts(
    policy_id: Id,
    here: Here,
    valid_from: Annotated[MomentIn | None, Query(alias="from")] = None,
    valid_until: Annotated[MomentIn | None, Query(alias="until")] = None,
) -> Listing[ConflictWire]:
    """The windows of the same scope that an activation in this one would cut into or be cut by, the first first."""
    window = Window(valid_from=valid_from, valid_until=valid_until)
    return Listing(items=await activation_desk.conflicts(here.services, policy_id, window))


@router.get(
    "/v1/activations",
    summary="List activations",
    response_model=Listing[ActivationWire],
    responses=problems(422, 503),
    dependencies=[needs(Permission.READ, Where.LISTED)],
)
async def list_activations(
    here: Here,
    caller: Calling,
    scenario: Name = None,
    segment: Name = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Listing[ActivationWire]:
    """Activations that one may read, the last made first; of a scenario with all its segments, or of one segment."""
    page = await here.services.governance.activations(
        scope=named_scope(scenario, segment), scenarios=caller.scenarios(scenario or None), cursor=cursor, limit=limit
    )
    now = here.services.clock()
    return Listing(items=[ActivationWire.of(a, now) for a in page.items], next_cursor=page.next_cursor)


@router.get(
    "/v1/activations/{sequence}",
    summary="Get an activation",
    response_model=ActivationWire,
    responses={200: _ETAG, **problems(404, 422, 503)},
    dependencies=[needs(Permission.READ, of_activation)],
)
async def get_activation(sequence: Sequence, response: Response, here: Here) -> ActivationWire:
    """One activation as it is now."""
    return _wire(await here.services.governance.activation(sequence), here, response)


@router.patch(
    "/v1/activations/{sequence}",
    summary="Change an activation",
    response_model=ActivationWire,
    responses={200: _ETAG, **problems(400, 404, 409, 412, 413, 422, 428, 503)},
    openapi_extra=json_body(ActivationChangeRequest),
    dependencies=[needs(Permission.EDIT, of_activation)],
)
async def change_activation(
    sequence: Sequence,
    request: Request,
    response: Response,
    here: Here,
    idempotency_key: IdempotencyKey = None,
    if_match_header: IfMatchHeader = None,
    x_actor: XActor = None,
) -> ActivationWire:
    """Give an activation another share of the users, or another end; another start only before it begins.

    Raising the share keeps those who have it. `If-Match` must name its revision.
    """
    async with taken(request, here, "activation.change_refused") as write:
        condition = required_if_match(request, f"Send the ETag of GET /v1/activations/{sequence} as If-Match.")
        activation = await activation_desk.change(here.services, sequence, condition, write)
    return _wire(activation, here, response)


@router.post(
    "/v1/activations/{sequence}/end",
    summary="End an activation",
    response_model=ActivationWire,
    responses={200: _ETAG, **problems(400, 404, 409, 412, 413, 422, 503)},
    openapi_extra=json_body(EndRequest),
    dependencies=[needs(Permission.EDIT, of_activation)],
)
async def end_activation(
    sequence: Sequence,
    request: Request,
    response: Response,
    here: Here,
    idempotency_key: IdempotencyKey = None,
    if_match_header: IfMatchHeader = None,
    x_actor: XActor = None,
) -> ActivationWire:
    """End an activation now, or call off one that hasn't begun; that one never begins."""
    async with taken(request, here, "activation.end_refused") as write:
        activation = await activation_desk.end(here.services, sequence, if_match(request), write)
    return _wire(activation, here, response)


def _wire(activation: Activation, here: Context, response: Response) -> ActivationWire:
    response.headers["ETag"] = f'"{activation.revision}"'
    return ActivationWire.of(activation, here.services.clock())
