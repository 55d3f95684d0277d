"""What `tests.network.FaultyProxy` does wrong, and the requests that it saw."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_HEAD_END: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What is wrong with the network now."""

    refuse: bool = False
    """Nothing listens; open connections go on."""
    silent: bool = False
    """Connections are accepted and stay open, but nothing gets through; it does once this ends."""
    bytes_per_s: float | None = None
    """Of each connection and direction."""
    latency_s: float = 0.0
    """Before whatever is passed on."""
    answer: bytes | None = None
    """What every request is answered with instead of by a backend; then the connection is closed."""
    truncate_after: int | None = None
    """So many more bytes of answers each connection passes on; then it is closed."""
    rewrite: Callable[[bytes], bytes] | None = None
    """What becomes of the answers, a piece at a time as it arrives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as it came in; `at_s` is `time.monotonic()`."""

    at_s: float
    method: str
    target: str


@dataclass(slots=True)
class Heads:
    """Finds the requests in a client's bytes, whose bodies come with their lengths."""

    found: Callable[[Seen], None]
    _kept: bytearray = field(default_factory=bytearray)
    _body_left: int = 0

    def feed(self, data: bytes) -> int:
        """Take the next bytes, and say how many heads ended in them."""
        ended = 0
        self._kept += data
        while self._kept:
            skipped = min(self._body_left, len(self._kept))
            del self._kept[:skipped]
            self._body_left -= skipped
            head, end, _ = bytes(self._kept).partition(_HEAD_END)
            if self._body_left or not end:
                break
            del self._kept[: len(head) + len(end)]
            self._take(head.decode("latin-1"))
            ended += 1
        return ended

    def _take(self, head: str) -> None:
        first, *lines = head.split("\r\n")
        method, _, rest = first.partition(" ")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self._body_left = int(fields.get("content-length", 0))
        self.found(Seen(at_s=time.monotonic(), method=method, target=rest.partition(" ")[0]))


def http_answer(status: int, body: bytes = b"", *fields: str) -> bytes:
    """An HTTP answer that ends its connection, for `Faults.answer`."""
    head = [f"HTTP/1.1 {status} x", f"content-length: {len(body)}", "connection: close", *fields, "", ""]
    return "\r\n".join(head).encode() + body
