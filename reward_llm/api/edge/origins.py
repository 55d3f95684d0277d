"""Which sites' pages may have a browser write here (cross-site request forgery, DNS rebinding).

A browser sends cookies, and reaches services on loopback, for whatever page it shows. It also says which page that
is: `Sec-Fetch-Site`, or `Origin` in older ones. Programs send neither, and are let through to prove who they are; so
is who shows a token, which no browser does by itself, as it does with the password for a proxy in front.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from reward_llm.api import problems
from reward_llm.api.edge.config import EdgeConfig
from reward_llm.errors import CrossSiteRefused, HostUnknown, RewardLLMError

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN: Final = frozenset({"same-origin", "none"})
_HINT: Final = "A page of another site needs a token, and its origin in REWARD_LLM_CORS_ORIGINS."


class Origins:
    """Refuses requests for other hosts, and writes that another site's page asks for."""

    def __init__(self, app: ASGIApp, *, config: EdgeConfig) -> None:
        self._app = app
        self._config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, if it may be sent from where it was."""
        refusal = self._refusal(Request(scope)) if scope["type"] == "http" else None
        if refusal:
            answer = await problems.answer_to(Request(scope), refusal)
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, request: Request) -> RewardLLMError | None:
        host = request.headers.get("host", "")
        hosts = self._config.hosts
        if hosts is not None and _parts(f"//{host}").hostname not in hosts:
            return HostUnknown("this service has another name", hint=f"It answers to: {', '.join(sorted(hosts))}.")
        if request.method in _SAFE or _shows_token(request):
            return None
        if request.headers.get("origin") in self._config.cors_origins or is_same_site(request, self._config):
            return None
        return CrossSiteRefused("a page of another site may not write here", hint=_HINT)


def is_same_site(request: Request, config: EdgeConfig) -> bool:
    """Whether nothing says that a page of another site sends the request."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in _OWN
    origin = request.headers.get("origin")
    if origin is None:
        return True
    netloc = _parts(origin).netloc
    return bool(netloc) and netloc in {request.headers.get("host"), config.netloc}


def proves_same_site(request: Request, config: EdgeConfig) -> bool:
    """Whether the request writes nothing, or its browser says that a page of this site sends it."""
    if request.method in _SAFE:
        return True
    says = "sec-fetch-site" in request.headers or "origin" in request.headers
    return says and is_same_site(request, config)


def _shows_token(request: Request) -> bool:
    scheme, _, _ = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer"


def _parts(url: str) -> SplitResult:
    """The parts of a URL; all are empty if it isn't one."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
