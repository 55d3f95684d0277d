"""How large a request may be, and how long it may take to arrive."""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reward_llm.api import problems
from reward_llm.api.edge.config import EdgeConfig
from reward_llm.errors import BodyTooLarge, BodyTooSlow, HeadersTooLarge, InvalidInput

_SEPARATORS: Final = len(": \r\n")
_MAX_DIGITS: Final = 18
"""Of a length, which says with as many that it is too large."""


class IncomingLimits:
    """Refuses requests that are too large or too slow, whether or not a route reads their bodies."""

    def __init__(self, app: ASGIApp, *, config: EdgeConfig) -> None:
        self._app = app
        self._config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, send, self._config, announced=_announces_body(scope))
        if refusal := self._refusal(scope):
            answer = await problems.answer_to(Request(scope), refusal)
            await answer(scope, body.receive, body.send)
        else:
            await self._app(scope, body.receive, body.send)

    def _refusal(self, scope: Scope) -> InvalidInput | None:
        if _head_bytes(scope) > self._config.header_limit_bytes:
            return HeadersTooLarge(
                f"the address and the header fields are over {self._config.header_limit_bytes:,} bytes"
            )
        if _content_length(scope) > self._config.body_cap_bytes:
            return _too_large(self._config)
        return None


class _Body:
    """A body as it arrives; an answer that comes before its end closes the connection."""

    def __init__(self, receive: Receive, send: Send, config: EdgeConfig, *, announced: bool) -> None:
        self._receive = receive
        self._send = send
        self._config = config
        self._announced = announced
        self._read = 0
        self._ended = False
        self._deadline: float | None = None

    async def receive(self) -> Message:
        """The next part.

        Raises:
            BodyTooSlow: If the body takes too long.
            BodyTooLarge: If it is over the cap.
        """
        if self._ended:
            return await self._receive()
        message = await self._next()
        self._read += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        if self._read > self._config.body_cap_bytes:
            raise _too_large(self._config)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start" and self._announced and not self._ended:
            MutableHeaders(scope=message)["Connection"] = "close"
        await self._send(message)

    async def _next(self) -> Message:
        limit_s = self._config.body_timeout_s
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + limit_s
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._receive()
        except TimeoutError:
            raise BodyTooSlow(f"the body didn't arrive within {limit_s:g} s") from None


def _head_bytes(scope: Scope) -> int:
    fields = sum(len(name) + len(value) + _SEPARATORS for name, value in scope["headers"])
    return len(scope["path"].encode("utf-8", "replace")) + len(scope["query_string"]) + fields


def _content_length(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length[:_MAX_DIGITS]) if length.isdigit() else 0


def _announces_body(scope: Scope) -> bool:
    return b"transfer-encoding" in dict(scope["headers"]) or _content_length(scope) > 0


def _too_large(config: EdgeConfig) -> BodyTooLarge:
    return BodyTooLarge(f"the body is over {config.body_cap_bytes:,} bytes", hint="Send less at once.")
