"""An OpenID provider, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel, ValidationError

from reward_llm.api.edge.locations import check_reachable_safely
from reward_llm.api.sign_in import id_token
from reward_llm.api.sign_in.config import SignInConfig
from reward_llm.domain.ports import Clock
from reward_llm.domain.session import Identity
from reward_llm.errors import ConfigurationInvalid, ProviderUnavailable, SignInFailed

_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_DESCRIBED_FOR_S: Final = 3_600.0
_CHECK: Final = "Look into the provider's log, and check REWARD_LLM_OIDC_ISSUER, _CLIENT_ID and _CLIENT_SECRET."


class _Description(BaseModel):
    """What a provider says of itself (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]


class _Tokens(BaseModel):
    id_token: str


class OpenIdProvider:
    """A `reward_llm.domain.ports.sessions.IdentityProvider`; nothing connects before the first call."""

    def __init__(self, config: SignInConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._http = httpx.AsyncClient(timeout=config.timeout_s, trust_env=False)
        self._description: _Description | None = None
        self._described_s = 0.0

    async def sign_in_url(self, *, state: str, nonce: str, challenge: str) -> str:
        """Where a browser goes to sign in."""
        description = await self._described()
        query = {
            "response_type": "code",
            "client_id": self._config.client_id,
            "redirect_uri": self._config.redirect_uri,
            "scope": self._config.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        mark = "&" if "?" in description.authorization_endpoint else "?"
        return f"{description.authorization_endpoint}{mark}{urlencode(query)}"

    async def identity(self, code: str, *, nonce: str, verifier: str) -> Identity:
        """Who came back with the code; the keys are asked for each time, so that new ones are known at once."""
        description = await self._described()
        token = await self._redeem(description, code, verifier)
        keys = await self._get(description.jwks_uri)
        claims = id_token.verified(token, keys, config=self._config, nonce=nonce, now=self._clock())
        return id_token.identity(claims, self._config)

    async def aclose(self) -> None:
        """Give back the connections."""
        await self._http.aclose()

    async def _described(self) -> _Description:
        now_s = self._clock().timestamp()
        if self._description is None or not 0 <= now_s - self._described_s < _DESCRIBED_FOR_S:
            document = await self._get(self._config.issuer.rstrip("/") + _WELL_KNOWN)
            self._description = self._checked(document)
            self._described_s = now_s
        return self._description

    def _checked(self, document: Any) -> _Description:
        try:
            description = _Description.model_validate(document)
            for url in (description.authorization_endpoint, description.token_endpoint, description.jwks_uri):
                check_reachable_safely(url)
        except (ValidationError, ConfigurationInvalid) as exc:
            raise ProviderUnavailable("what the identity provider says of itself can't be used", hint=_CHECK) from exc
        if description.issuer != self._config.issuer:
            raise ProviderUnavailable(
                f"the identity provider calls itself {description.issuer!r}, not {self._config.issuer!r}", hint=_CHECK
            )
        return description

    async def _redeem(self, description: _Description, code: str, verifier: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._config.redirect_uri,
            "client_id": self._config.client_id,
            "code_verifier": verifier,
        }
        secret = self._config.client_secret
        methods = description.token_endpoint_auth_methods_supported
        basic = httpx.BasicAuth(_form(self._config.client_id), _form(secret)) if secret else None
        if secret and "client_secret_basic" not in methods and "client_secret_post" in methods:
            form["client_secret"], basic = secret, None
        answer = await self._ask("POST", description.token_endpoint, data=form, auth=basic)
        if answer.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}:
            raise SignInFailed("the identity provider doesn't accept the code", hint=_CHECK)
        try:
            return _Tokens.model_validate(_document(answer)).id_token
        except ValidationError as exc:
            raise ProviderUnavailable("the identity provider sent no id_token", hint=_CHECK) from exc

    async def _get(self, url: str) -> Any:
        return _document(await self._ask("GET", url))

    async def _ask(self, method: str, url: str, **options: Any) -> httpx.Response:
        try:
            return await self._http.request(method, url, headers={"Accept": "application/json"}, **options)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise ProviderUnavailable("the identity provider doesn't answer", hint=_CHECK) from exc


def _document(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        document = answer.json() if answer.is_success else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ProviderUnavailable(f"the identity provider answers with {answer.status_code}", hint=_CHECK)
    return document


def _form(text: str) -> str:
    """As a form has it, which is how HTTP Basic takes a client's credentials (RFC 6749, section 2.3.1)."""
    return urlencode({"": text}).removeprefix("=")
