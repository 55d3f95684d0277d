"""Headers that tell browsers what they may do with an answer."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CLOSED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
)
"""An answer is data: it loads nothing, is shown in no frame, and isn't kept."""
_HTTPS_ALONE: Final = {"Strict-Transport-Security": "max-age=31536000"}


class OutgoingHeaders:
    """Adds to every answer those headers that it doesn't bring itself, as a page brings its own policy."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._headers = outgoing_headers(https=https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request."""

        async def send_closed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_closed if scope["type"] == "http" else send)


def outgoing_headers(*, https: bool) -> Mapping[str, str]:
    """What every answer has, unless it says otherwise."""
    return {**CLOSED, **(_HTTPS_ALONE if https else {})}
