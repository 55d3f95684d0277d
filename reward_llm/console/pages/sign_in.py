"""Signing in and out: by the identity provider, by a token, or where access is open by a name."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from reward_llm.console.client import ApiClient
from reward_llm.console.frame import Area
from reward_llm.console.visit import SIGN_IN, Anybody, Visit, Visiting, local_path
from reward_llm.errors import ServiceRefused

router = APIRouter()
AREA = Area(name="sign_in", router=router)

_TEMPLATE: Final = "sign_in/sign_in.html"


@router.get(SIGN_IN)
async def sign_in(visit: Anybody, to: str = "/", over: str = "") -> Response:
    """The ways in."""
    return visit.page(_TEMPLATE, to=local_path(to), is_over=bool(over), refused=None, given="")


@router.post(SIGN_IN)
async def take(visit: Anybody) -> Response:
    """Let somebody in with a token, or where access is open under a name."""
    to = local_path(visit.form["to"])
    cookies, is_open = visit.frame.cookies, visit.frame.config.is_open
    given = visit.form["name" if is_open else "token"]
    shown = {"x-actor": given} if is_open else {"authorization": f"Bearer {given}"}
    try:
        await ApiClient(visit.frame.transport, visit.request, **shown).get("/v1/me")
    except ServiceRefused as exc:
        again = given if is_open else ""
        return visit.page(_TEMPLATE, status=exc.status, to=to, is_over=False, refused=exc, given=again)
    response = visit.go(to)
    (cookies.name if is_open else cookies.token).write(response, given)
    return response


@router.get("/sign-in/provider")
async def provider(visit: Anybody, to: str = "/") -> Response:
    """Go to the identity provider; a token that the browser kept would stand before the person."""
    response = RedirectResponse(f"/v1/sign-in?{urlencode({'to': local_path(to)})}", int(HTTPStatus.SEE_OTHER))
    visit.frame.cookies.token.clear(response)
    return response


@router.get("/me")
async def me(visit: Visiting) -> Response:
    """Who one is, and what one may do."""
    return visit.page("sign_in/me.html", scenarios=(await visit.api.get("/v1/scenarios"))["items"])


@router.post("/sign-out")
async def sign_out(visit: Anybody) -> Response:
    """Forget who it is, and end their session."""
    response = visit.go("/" if visit.frame.config.is_open else SIGN_IN, done="sign_in.out")
    visit.frame.cookies.token.clear(response)
    visit.frame.cookies.name.clear(response)
    for cookie in await _ended_session(visit):
        response.headers.append("set-cookie", cookie)
    return response


async def _ended_session(visit: Visit) -> list[str]:
    """The cookies that end the session; none where nobody signs in."""
    if not visit.frame.config.has_provider:
        return []
    answer = await ApiClient(visit.frame.transport, visit.request).ask("POST", "/v1/sign-out")
    return answer.headers.get_list("set-cookie")
