"""HTTP servers on loopback that webhooks are sent to."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

PATIENCE_S: Final = 180.0
"""When a test that waits for something gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document


Answer = Callable[[Received], Awaitable[bytes]]


def answer(status: int, *headers: str) -> bytes:
    """An empty HTTP answer."""
    return "\r\n".join([f"HTTP/1.1 {status} x", "content-length: 0", *headers, "", ""]).encode()


@dataclass(slots=True)
class Receiver:
    """A server that keeps what it was sent; `answers` are given in turn, the last one for ever."""

    answers: list[bytes | Answer]
    port: int = 0
    scheme: str = "http"
    requests: list[Received] = field(default_factory=list)
    open: int = 0
    most_at_once: int = 0
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook?from=us"

    async def has(self, count: int) -> None:
        """Wait until so many requests arrived."""
        async with asyncio.timeout(PATIENCE_S), self.arrived:
            await self.arrived.wait_for(lambda: len(self.requests) >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most_at_once = max(self.most_at_once, self.open)
        try:
            received = await _request(reader)
            async with self.arrived:
                self.requests.append(received)
                self.arrived.notify_all()
            given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            writer.write(given if isinstance(given, bytes) else await given(received))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def receiver(*answers: bytes | Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver; it answers 204 unless it is told otherwise."""
    made = Receiver(answers=list(answers) or [answer(204)], scheme="https" if tls else "http")
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(made.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Received(path=head[0].split()[1], headers=headers, body=body)
