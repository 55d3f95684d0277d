"""HTTP as uvicorn speaks it with httptools, but with a limit on heads, which that hasn't."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES: Final = 65_536
"""How much of a head is waited for. What comes at once and is smaller than that meets the edge's own limit."""
HEAD_TIMEOUT_S: Final = 20.0
"""How long a head that has begun may take to arrive."""
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_END: Final = b"\r\n\r\n"


class LimitedHeads(HttpToolsProtocol):
    """Gives up connections whose heads are too large or too slow."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_open = False
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Read on, and look at how much of a head there is without an end."""
        super().data_received(data)
        if self._head_open:
            self._head_bytes += len(data) - _ended_at(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(_TOO_LARGE)
            elif self._head_timer is None:
                self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._refuse, _TOO_SLOW)

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self._head_open, self._head_bytes = True, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field; those after a body are a head that nobody asked for."""
        if self._head_open:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End the head."""
        self._end_head()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the head."""
        self._end_head()
        super().connection_lost(exc)

    def _end_head(self) -> None:
        self._head_open = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, answer: bytes) -> None:
        self._end_head()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:  # else another answer is on its way
            self.transport.write(answer)
        self.transport.close()


def _ended_at(data: bytes) -> int:
    """Where the last head in a read ended, behind which another may have begun."""
    at = data.rfind(_END)
    return at + len(_END) if at >= 0 else 0
