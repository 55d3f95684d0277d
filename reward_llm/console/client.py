"""What a page asks of the interface, on behalf of who looks at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
from starlette.requests import Request

from reward_llm.errors import ServiceRefused, Violation

_PASSED_ON: Final = ("cookie", "host", "origin", "sec-fetch-site", "user-agent")
"""What the browser says of who sends the request, and from which page: the interface judges it itself."""
_BEARER: Final = "bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the interface answered."""

    status: int
    headers: httpx.Headers
    document: Any
    """None where the body is no JSON."""

    @property
    def etag(self) -> str | None:
        """The entity tag as it stands in the header, which `If-Match` takes."""
        found: str | None = self.headers.get("etag")
        return found


class ApiClient:
    """The interface, with one person's credentials.

    Every method raises `ServiceRefused` where the interface answers with a problem document.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, request: Request, **credentials: str) -> None:
        self._transport = transport
        self._headers = {**_passed_on(request), **{name: value.encode() for name, value in credentials.items()}}
        if "authorization" in self._headers:
            self._headers.pop("cookie", None)
        self._client = tuple(request.scope.get("client") or ()) or None
        self._base = f"{request.url.scheme}://{request.url.netloc or 'localhost'}"

    async def get(self, path: str, **params: Any) -> Any:
        """The document at a path; parameters that are None or empty are left out."""
        return (await self.ask("GET", path, params=params)).document

    async def post(self, path: str, body: Any = None, *, key: str | None = None, if_match: str | None = None) -> Any:
        """Have something done.

        Args:
            path: Where.
            body: A JSON value; None sends `{}`.
            key: An `Idempotency-Key`; every form has one.
            if_match: The entity tag of the version that it is meant for.
        """
        return (await self.ask("POST", path, body=body, key=key, if_match=if_match)).document

    async def put(
        self, path: str, body: Any, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Any:
        """The same, with PUT; `if_none_match` `*` is for what isn't there yet."""
        return (await self.ask("PUT", path, body=body, if_match=if_match, if_none_match=if_none_match)).document

    async def patch(self, path: str, body: Any, *, key: str | None = None, if_match: str | None = None) -> Any:
        """The same, with PATCH."""
        return (await self.ask("PATCH", path, body=body, key=key, if_match=if_match)).document

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        key: str | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Answer:
        """The whole answer: its headers as well."""
        headers = {"idempotency-key": key or "", "if-match": if_match or "", "if-none-match": if_none_match or ""}
        request = self._request(method, path, params or {}, body, {k: v.encode() for k, v in headers.items() if v})
        response = await self._transport.handle_async_request(request)
        try:
            await response.aread()
        finally:
            await response.aclose()
        answer = Answer(status=response.status_code, headers=response.headers, document=_document(response))
        if response.is_error:
            raise _refused(answer)
        return answer

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, *, body: Any = None, accept: str = "*/*", **params: Any
    ) -> AsyncIterator[httpx.Response]:
        """An answer whose body is read as it comes, with `aiter_bytes` or `aiter_lines`."""
        request = self._request(method, path, params, body, {"accept": accept.encode()})
        response = await self._transport.handle_async_request(request)
        try:
            if response.is_error:
                await response.aread()
                raise _refused(
                    Answer(status=response.status_code, headers=response.headers, document=_document(response))
                )
            yield response
        finally:
            await response.aclose()

    def _request(
        self, method: str, path: str, params: Mapping[str, Any], body: Any, headers: Mapping[str, bytes]
    ) -> httpx.Request:
        given = {name: value for name, value in params.items() if value not in {None, ""}}
        sent = {name.encode(): value for name, value in {**self._headers, **headers}.items()}
        return httpx.Request(
            method,
            self._base + path,
            params=given or None,
            headers=sent,
            json=None if method == "GET" else {} if body is None else body,
            extensions={"client": self._client},
        )


def _passed_on(request: Request) -> dict[str, bytes]:
    known = request.headers
    passed = {name: value.encode("latin-1") for name in _PASSED_ON if (value := known.get(name)) is not None}
    authorization = known.get("authorization", "")
    if authorization.lower().startswith(_BEARER):
        passed["authorization"] = authorization.encode("latin-1")
    return passed


def _document(response: httpx.Response) -> Any:
    if "json" not in response.headers.get("content-type", ""):
        return None
    return response.json()


def _refused(answer: Answer) -> ServiceRefused:
    problem = answer.document if isinstance(answer.document, dict) else {}
    problem = {"status": answer.status, "code": "internal_error", **problem}
    violations = [Violation(**v) for v in problem.get("violations", [])]
    return ServiceRefused(problem.get("detail", ""), hint=problem.get("hint"), violations=violations, problem=problem)
