"""Signing in and out, and who one is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from reward_llm.api.access.permissions import everybody
from reward_llm.api.context import Context, Here
from reward_llm.api.headers import actor_of
from reward_llm.api.openapi import problems
from reward_llm.api.sign_in.desk import SignInDesk
from reward_llm.api.wire.me import MeWire
from reward_llm.domain.access import PrincipalKind
from reward_llm.errors import NotFound

router = APIRouter(prefix="/v1", tags=["access"])

_HINT = "Set REWARD_LLM_OIDC_ISSUER, or call with a token."


@router.get(
    "/sign-in",
    summary="Sign in",
    status_code=303,
    response_class=Response,
    responses=problems(404, 422, 503),
    dependencies=[everybody()],
)
async def begin(
    here: Here, to: Annotated[str, Query(max_length=500, description="The path to come back to.")] = "/v1/me"
) -> Response:
    """Send the browser to the identity provider."""
    return await _desk(here).begin(to)


@router.get(
    "/sign-in/callback",
    summary="Come back from the identity provider",
    status_code=303,
    response_class=Response,
    responses=problems(401, 404, 503),
    dependencies=[everybody()],
)
async def finish(request: Request, here: Here) -> Response:
    """Start a session, if the provider vouches for somebody."""
    return await _desk(here).finish(request)


@router.post(
    "/sign-out",
    summary="Sign out",
    status_code=204,
    response_class=Response,
    responses=problems(403, 404, 503),
    dependencies=[everybody()],
)
async def sign_out(request: Request, here: Here) -> Response:
    """End the session here; the identity provider's own goes on."""
    return await _desk(here).sign_out(request)


@router.get(
    "/me", summary="Who am I?", response_model=MeWire, responses=problems(401, 503), dependencies=[everybody()]
)
async def me(request: Request, here: Here) -> MeWire:
    """Who asks, and what they may do."""
    principal = request.state.principal = await here.doorkeeper.principal(request)
    answer = MeWire.of(principal, here.doorkeeper.mode, getattr(request.state, "session", None))
    if principal.kind is PrincipalKind.ANONYMOUS:
        return answer.model_copy(update={"name": actor_of(request)})
    return answer


def _desk(here: Context) -> SignInDesk:
    if here.sign_in is None:
        raise NotFound("nobody signs in here", hint=_HINT)
    return here.sign_in
