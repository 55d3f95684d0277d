"""Signing in and out.

    /v1/sign-in ─► the provider ─► /v1/sign-in/callback ─► a session, whose secret is a cookie

Who has that cookie is in, for writes only from pages of this service.
"""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from reward_llm.api.access.doorkeeper import details_withheld
from reward_llm.api.edge.config import EdgeConfig
from reward_llm.api.edge.origins import proves_same_site
from reward_llm.api.problems import request_id
from reward_llm.api.sign_in import pending
from reward_llm.api.sign_in.config import SignInConfig
from reward_llm.api.sign_in.cookies import session_cookie, sign_in_cookie
from reward_llm.domain.access import Principal
from reward_llm.domain.act import Act
from reward_llm.domain.ports import Clock
from reward_llm.domain.ports.sessions import IdentityProvider, Sessions
from reward_llm.domain.session import Identity, Session, fingerprint, person
from reward_llm.errors import CrossSiteRefused, SignInFailed, Unauthenticated

_SEE_OTHER: Final = 303
_ERROR_CODE: Final = re.compile(r"[\w.-]{1,60}", re.ASCII)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What signing in stands on."""

    config: SignInConfig
    provider: IdentityProvider
    sessions: Sessions


class SignInDesk:
    """Signs people in and out, and is a way in for those who are in."""

    def __init__(self, parts: SignIn, edge: EdgeConfig, clock: Clock) -> None:
        self._parts = parts
        self._edge = edge
        self._clock = clock
        self._session = session_cookie(https=edge.https)
        self._pending = sign_in_cookie(https=edge.https)

    async def begin(self, to: str) -> Response:
        """Send the browser to the identity provider.

        Raises:
            InvalidInput: If `to` is no path of this service.
            ProviderUnavailable: If the provider doesn't answer.
        """
        begun = pending.begin(to, self._clock().timestamp())
        url = await self._parts.provider.sign_in_url(state=begun.state, nonce=begun.nonce, challenge=begun.challenge)
        response = RedirectResponse(url, _SEE_OTHER)
        self._pending.write(response, begun.cookie(), pending.LASTS_S)
        return response

    async def finish(self, request: Request) -> Response:
        """Take the browser back from the identity provider, signed in.

        Raises:
            SignInFailed: If the provider doesn't vouch for anybody, or for another sign-in than this browser's.
            ProviderUnavailable: If it doesn't answer.
        """
        try:
            begun = self._begun(request)
            code = _code(request, self._parts.config.issuer)
            identity = await self._parts.provider.identity(code, nonce=begun.nonce, verifier=begun.verifier)
        except SignInFailed as exc:
            _log.warning("sign_in.refused", detail=exc.message)
            raise
        response = RedirectResponse(begun.to, _SEE_OTHER)
        with details_withheld():
            secret = await self._start(request, identity)
        self._session.write(response, secret, self._lasts().total_seconds())
        self._pending.clear(response)
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the browser's session, if it has one.

        Raises:
            CrossSiteRefused: If a page of another site asks for it.
        """
        with details_withheld():
            session = await self._find(request)
            if session is not None:
                await self._parts.sessions.end(session.id, self._act(request, session.identity))
        response = Response(status_code=204)
        self._session.clear(response)
        return response

    async def principal(self, request: Request) -> Principal | None:
        """Who is signed in; None if the request has no session.

        Raises:
            Unauthenticated: If the session is over.
            CrossSiteRefused: If the request writes, and no page of this service says that it sends it.
        """
        if self._session.read(request) is None:
            return None
        session = await self._find(request)
        if session is None:
            raise Unauthenticated("the session is over", hint="Sign in again at /v1/sign-in.")
        request.state.session = session
        return person(session.identity, self._parts.config.roles)

    async def _find(self, request: Request) -> Session | None:
        secret = self._session.read(request)
        if secret is None:
            return None
        if not proves_same_site(request, self._edge):
            raise CrossSiteRefused("a session writes from pages of this service alone")
        return await self._parts.sessions.find(fingerprint(secret), self._clock())

    def _begun(self, request: Request) -> pending.Pending:
        begun = pending.from_cookie(self._pending.read(request))
        begun.check(request.query_params.get("state"), self._clock().timestamp())
        return begun

    async def _start(self, request: Request, identity: Identity) -> str:
        """Give the secret of a new session: never one that the browser had before."""
        act, secret = self._act(request, identity), secrets.token_urlsafe()
        session = Session(
            id=f"session_{uuid.uuid4().hex[:20]}",
            identity=identity,
            signed_in_at=act.at,
            expires_at=act.at + self._lasts(),
        )
        await self._parts.sessions.start(session, fingerprint(secret), act)
        return secret

    def _lasts(self) -> timedelta:
        return timedelta(hours=self._parts.config.session_hours)

    def _act(self, request: Request, identity: Identity) -> Act:
        address = request.client.host if request.client else ""
        return Act(actor=identity.name, at=self._clock(), address=address, request_id=request_id(request))


def _code(request: Request, issuer: str) -> str:
    """The code that the provider sent.

    Raises:
        SignInFailed: If it sent an error, or another provider answers (RFC 9207).
    """
    query = request.query_params
    if query.get("iss", issuer) != issuer:
        raise SignInFailed("another identity provider answers than was asked")
    code = query.get("code")
    if not code or "error" in query:
        said = query.get("error", "")
        raise SignInFailed(f"the identity provider says {said if _ERROR_CODE.fullmatch(said) else 'nothing usable'}")
    return code
