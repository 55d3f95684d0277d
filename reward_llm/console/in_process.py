"""The interface, called within the process, as a client across a network would call it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import httpx
from starlette.types import ASGIApp, Message

_QUEUED: Final = 16
"""Parts of an answer that wait to be read."""


class InProcess(httpx.AsyncBaseTransport):
    """Hands requests to an ASGI application, and passes their answers on as they come.

    The request's extension `client` is the address that it counts as coming from.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, as soon as its head is there; closing it ends the call."""
        call = _Call(self._app, request, await request.aread())
        try:
            status, headers = await call.head()
        except BaseException:
            await call.aclose()
            raise
        return httpx.Response(status, headers=headers, stream=call)


class _Call(httpx.AsyncByteStream):
    """One request on its way, and the body of its answer."""

    def __init__(self, app: ASGIApp, request: httpx.Request, body: bytes) -> None:
        self._body = body
        self._is_sent = False
        self._gone = asyncio.Event()
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue(_QUEUED)
        self._task = asyncio.create_task(self._run(app, _scope(request)))

    async def head(self) -> tuple[int, list[tuple[bytes, bytes]]]:
        message = await self._messages.get()
        if message is None:
            await self._task
            raise httpx.RemoteProtocolError("the application ended without an answer")
        return message["status"], list(message["headers"])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (message := await self._messages.get()) is not None:
            if body := message.get("body", b""):
                yield body

    async def aclose(self) -> None:
        self._gone.set()
        if not self._task.done():
            self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self, app: ASGIApp, scope: dict[str, object]) -> None:
        try:
            await app(scope, self._receive, self._messages.put)
        finally:
            if not self._gone.is_set():
                await self._messages.put(None)

    async def _receive(self) -> Message:
        if not self._is_sent:
            self._is_sent = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}


def _scope(request: httpx.Request) -> dict[str, object]:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.split(b"?")[0],
        "query_string": url.query,
        "server": (url.host, url.port),
        "client": request.extensions.get("client"),
        "root_path": "",
    }
