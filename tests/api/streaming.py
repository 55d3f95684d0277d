"""Asks an application for a stream, and reads it event by event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI


@dataclass(slots=True)
class Stream:
    """An answer that may still go on."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    ended: bool = False
    stuck: bool = False
    """Whether nothing is taken after the headers."""
    _begun: asyncio.Event = field(default_factory=asyncio.Event)
    _events: asyncio.Queue[tuple[str, dict[str, Any]] | None] = field(default_factory=asyncio.Queue)

    async def send(self, message: Mapping[str, Any]) -> None:
        """Take a part of it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            self._begun.set()
            return
        if self.stuck:
            await asyncio.Event().wait()
        self.body += message.get("body", b"")
        *whole, rest = bytes(self.body).split(b"\r\n\r\n")
        if self.headers["content-type"].startswith("text/event-stream"):
            for event in whole:
                self._events.put_nowait(_parsed(event.decode()))
            self.body[:] = rest
        self.ended = not message.get("more_body", False)
        if self.ended:
            self._events.put_nowait(None)

    async def begin(self) -> None:
        """Wait for the headers."""
        await self._begun.wait()

    async def event(self) -> tuple[str, dict[str, Any]] | None:
        """The next event and its data; None at the end."""
        return await self._events.get()

    async def until(self, kind: str) -> dict[str, Any]:
        """The data of the next event of that kind."""
        while (event := await self.event()) is not None:
            if event[0] == kind:
                return event[1]
        raise AssertionError(f"the stream ended without {kind}")


@asynccontextmanager
async def stream(app: FastAPI, path: str, token: str | None = None, *, stuck: bool = False) -> AsyncIterator[Stream]:
    """An answer, from its headers on; leaving hangs up."""
    opened, leaving = Stream(stuck=stuck), asyncio.Event()
    path, _, query = path.partition("?")
    headers = [(b"host", b"test"), *([(b"authorization", f"Bearer {token}".encode())] if token else [])]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 50_000),
        "server": ("test", 80),
        "state": {},
    }
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await leaving.wait()
        return {"type": "http.disconnect"}

    serving = asyncio.create_task(app(scope, receive, opened.send))
    async with asyncio.timeout(30):
        await opened.begin()
        yield opened
        leaving.set()
        with suppress(asyncio.CancelledError):
            await serving


def _parsed(event: str) -> tuple[str, dict[str, Any]]:
    fields = dict(line.split(": ", 1) for line in event.splitlines())
    return fields["event"], json.loads(fields["data"])
