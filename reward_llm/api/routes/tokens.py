"""API tokens: make, list and revoke them."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.body import parse_json, read_body, validated
from reward_llm.api.context import Context, Here
from reward_llm.api.headers import act_of
from reward_llm.api.openapi import json_body, problems
from reward_llm.api.refusals import refusals_on_record
from reward_llm.api.routes.parameters import Id, XActor
from reward_llm.api.wire.base import Listing
from reward_llm.api.wire.tokens import NewTokenWire, TokenRequest, TokenRevocation, TokenWire
from reward_llm.domain.access import Permission
from reward_llm.domain.tokens import NewToken, check_scenarios, concerns, mint, token_hash
from reward_llm.errors import TokenUnknown

router = APIRouter(prefix="/v1/tokens", tags=["access"])

_LISTED = needs(Permission.ADMINISTER, Where.LISTED)
_IN_BODY = needs(Permission.ADMINISTER, Where.IN_BODY)


@router.post(
    "",
    summary="Make a token",
    status_code=201,
    response_model=NewTokenWire,
    responses=problems(400, 404, 409, 413, 422, 503),
    openapi_extra=json_body(TokenRequest),
    dependencies=[_IN_BODY],
)
async def create(
    request: Request, response: Response, here: Here, caller: Calling, x_actor: XActor = None
) -> NewTokenWire:
    """Make a token; its text is in this answer and nowhere else.

    Nobody grants more than they administer: an admin of one scenario makes tokens for that one.
    """
    limit, now = here.services.config.body_limit_bytes, here.services.clock()
    body = await read_body(request, limit)
    async with refusals_on_record(here.services, "token.refused", request, body):
        sent = validated(TokenRequest, parse_json(body, limit))
        act = act_of(request, now, sent.reason)
        new = _minted(sent, caller, here, act.actor)
        await here.services.tokens.create_token(new.token, token_hash(new.text), act)
    response.headers["Location"] = f"/v1/tokens/{new.token.id}"
    response.headers["Cache-Control"] = "no-store"
    return NewTokenWire.made(new, now)


@router.get(
    "",
    summary="List tokens",
    response_model=Listing[TokenWire],
    responses=problems(422, 503),
    dependencies=[_LISTED],
)
async def list_tokens(
    here: Here,
    caller: Calling,
    ended: Annotated[bool, Query(description="Those that are expired or revoked as well.")] = False,
) -> Listing[TokenWire]:
    """Tokens that reach into a scenario that one administers, newest first."""
    now = here.services.clock()
    found = await here.services.tokens.tokens(live_at=None if ended else now)
    mine = caller.scenarios()
    return Listing(items=[TokenWire.of(t, now) for t in found if concerns(t.grants, mine)])


@router.get(
    "/{token_id}",
    summary="Get a token",
    response_model=TokenWire,
    responses=problems(404, 422, 503),
    dependencies=[_LISTED],
)
async def get_token(token_id: Id, here: Here, caller: Calling) -> TokenWire:
    """One token, without its secret."""
    mine = caller.scenarios()
    found = await here.services.tokens.token(token_id)
    if not concerns(found.grants, mine):
        raise TokenUnknown(f"no token {token_id!r}")
    return TokenWire.of(found, here.services.clock())


@router.post(
    "/{token_id}/revocation",
    summary="Revoke a token",
    response_model=TokenWire,
    responses=problems(400, 404, 413, 422, 503),
    openapi_extra=json_body(TokenRevocation, required=False),
    dependencies=[_IN_BODY],
)
async def revoke(token_id: Id, request: Request, here: Here, caller: Calling, x_actor: XActor = None) -> TokenWire:
    """End a token; every process turns it away within 10 seconds. A second revocation changes nothing."""
    limit, now = here.services.config.body_limit_bytes, here.services.clock()
    body = await read_body(request, limit)
    async with refusals_on_record(here.services, "token.revocation_refused", request, body):
        found = await here.services.tokens.token(token_id)
        for grant in found.grants:
            caller.require(grant.scenario)
        sent = validated(TokenRevocation, parse_json(body, limit) if body else {})
        revoked = await here.services.tokens.revoke_token(token_id, act_of(request, now, sent.reason))
    return TokenWire.of(revoked, now)


def _minted(sent: TokenRequest, caller: Calling, here: Context, by: str) -> NewToken:
    grants = tuple(g.grant() for g in sent.grants)
    for grant in grants:
        caller.require(grant.scenario)
    check_scenarios(grants, here.services.scenarios)
    return mint(
        sent.name,
        grants,
        by=by,
        now=here.services.clock(),
        days=sent.days,
        random_bytes=secrets.token_bytes,
    )
