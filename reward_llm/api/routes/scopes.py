"""Scopes: what holds in one, taking it out of force, and the kill switch."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from reward_llm.api import explaining, scope_desk
from reward_llm.api.access.permissions import needs
from reward_llm.api.context import Here
from reward_llm.api.openapi import etag_header, json_body, problems
from reward_llm.api.routes.parameters import IdempotencyKey, XActor
from reward_llm.api.wire.base import MomentIn
from reward_llm.api.wire.explanations import ExplanationWire
from reward_llm.api.wire.scopes import FreezeRequest, RollbackRequest, RollbackWire, ScopeWire
from reward_llm.api.writes import taken
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/v1/scopes/{scenario}/{segment}", tags=["scopes"])

Segment = Annotated[str, Path(description="One of the scenario's segments, or `-` for the whole scenario.")]

_ETAG = etag_header("Changes with everything that is said of the scope.")
_PROBLEMS = problems(400, 404, 409, 413, 422, 503)


@router.get(
    "",
    summary="See what holds in a scope",
    response_model=ScopeWire,
    responses={200: _ETAG, **problems(404, 422, 503)},
    dependencies=[needs(Permission.READ)],
)
async def get_scope(scenario: str, segment: Segment, response: Response, here: Here) -> ScopeWire:
    """What is served to everybody, the activations below it, those to come, and whether the scope is frozen."""
    wire = await scope_desk.look(here.services, scope_desk.scope_of(here.services, scenario, segment))
    response.headers["ETag"] = f'"{scope_desk.etag_of(wire)}"'
    return wire


@router.get(
    "/explanation",
    summary="Explain what a unit is served",
    response_model=ExplanationWire,
    responses=problems(404, 422, 503),
    dependencies=[needs(Permission.READ)],
)
async def explain(
    scenario: str,
    segment: Segment,
    here: Here,
    unit: Annotated[str | None, Query(max_length=200, description="Whom for; null is everybody.")] = None,
    at: Annotated[MomentIn | None, Query(description="Now if it is left out.")] = None,
) -> ExplanationWire:
    """What is served now, was served then or is going to be, and every activation that was considered.

    The past is what the activations and freezes of then made of it; the defaults are today's.
    """
    scope = scope_desk.scope_of(here.services, scenario, segment)
    return await explaining.explain(here.services, scope, unit or None, at)


@router.post(
    "/rollback",
    summary="Take what holds out of force",
    response_model=RollbackWire,
    responses=_PROBLEMS,
    openapi_extra=json_body(RollbackRequest),
    dependencies=[needs(Permission.APPROVE)],
)
async def roll_back(
    scenario: str,
    segment: Segment,
    request: Request,
    here: Here,
    idempotency_key: IdempotencyKey = None,
    x_actor: XActor = None,
) -> RollbackWire:
    """At once take the scope's winning policy out of force; what lies below returns, or `to_policy` holds.

    A policy that was in force before, or is approved, may be rolled back to past review and the largest step.
    """
    async with taken(request, here, "rollback.refused") as write:
        scope = scope_desk.scope_of(here.services, scenario, segment)
        return await scope_desk.roll_back(here.services, scope, write)


@router.post(
    "/freeze",
    summary="Freeze or unfreeze a scope",
    response_model=ScopeWire,
    responses=_PROBLEMS,
    openapi_extra=json_body(FreezeRequest),
    dependencies=[needs(Permission.APPROVE)],
)
async def freeze(
    scenario: str,
    segment: Segment,
    request: Request,
    here: Here,
    idempotency_key: IdempotencyKey = None,
    x_actor: XActor = None,
) -> ScopeWire:
    """The kill switch: a frozen scope serves the scenario's defaults, and nothing can be activated in it.

    Freezing a scenario freezes all its segments. What is so already stays as it is.
    """
    async with taken(request, here, "freeze.refused") as write:
        scope = scope_desk.scope_of(here.services, scenario, segment)
        return await scope_desk.freeze(here.services, scope, write)
