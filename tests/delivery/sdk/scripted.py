"""A weights service on a real socket that does what a test says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from reward_llm.delivery.sdk import WeightsClient
from tests.delivery.sdk.documents import document, encoded, etag_of, moment

DEADLINE_S = 30.0
Answer = bytes | None
"""Raw bytes to send before hanging up; None keeps the connection open and silent."""


@dataclass(frozen=True)
class Asked:
    """A request."""

    path: str
    headers: dict[str, str]
    at: float


@dataclass
class Scripted:
    """What it serves and how it behaves; changed by tests while it runs."""

    port: int = 0
    snapshot: dict[str, Any] = field(default_factory=document)
    every_s: float = 0.2
    streams: bool = True
    silent: bool = False
    answer: Callable[[Asked], Answer | bool] | None = None
    """Instead of a snapshot; False is for the usual answer."""
    greet: Callable[[Asked], Answer | bool] | None = None
    """The same for the stream."""
    skew_s: float = 0.0
    says_when: bool = True
    """Whether an answer says by its header when it holds."""
    asked: list[Asked] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _streaming: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def etag(self) -> str:
        return etag_of(self.snapshot)

    def of(self, path: str) -> list[Asked]:
        return [a for a in list(self.asked) if a.path.split("?")[0] == path]

    @property
    def snapshots(self) -> list[Asked]:
        return self.of("/v1/weights")

    @property
    def streamed(self) -> list[Asked]:
        return self.of("/v1/weights/events")

    def serve(self, snapshot: dict[str, Any], *, tell: bool = True) -> None:
        self.snapshot = snapshot
        if tell:
            self.tell("changed")

    def carry(self, snapshot: dict[str, Any], **said: Any) -> None:
        """Serve it, and send what differs along with the notice; `said` is what that says otherwise."""
        since, known = self.etag, self.snapshot["items"]
        self.snapshot = snapshot
        items = [item for item in snapshot["items"] if item not in known]
        self.tell("changed", encoded({**self.notice(), "from": since, "items": items, **said}).decode())

    def tell(self, event: str = "heartbeat", data: str | None = None) -> None:
        self._call(self._send(event, data))

    def hang_up(self) -> None:
        """Cut all connections."""
        self._call(self._cut())

    def stop(self) -> None:
        """Refuse connections, and cut those that there are."""
        self._call(self._end())

    def start(self) -> None:
        self._call(self._begin())

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self.skew_s, UTC)

    def _call(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE_S)

    async def _begin(self) -> None:
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    async def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0.01)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answered(_asked(head), writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            self._streaming.discard(writer)
            writer.transport.abort()

    async def _answered(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        self.asked.append(asked)
        stream = asked.path.startswith("/v1/weights/events")
        script = self.greet if stream else self.answer
        scripted = script(asked) if script is not None else False
        if scripted is None:
            await asyncio.sleep(3600)
        elif isinstance(scripted, bytes):
            writer.write(scripted)
            await writer.drain()
            raise ConnectionError
        elif stream:
            await self._stream(writer)
        else:
            writer.write(self.usual(asked))
            await writer.drain()

    def usual(self, asked: Asked) -> bytes:
        """What a healthy service answers."""
        said = {
            "ETag": f'"{self.etag}"',
            "Weights-Age": f"{self.snapshot['age_s']:.3f}",
            "Weights-Stale": str(self.snapshot["stale"]).lower(),
            "Weights-Revision": str(self.snapshot["revision"]),
        }
        if self.says_when:
            said["Weights-As-Of"] = moment(self.now()) or ""
        if asked.headers.get("if-none-match") == said["ETag"]:
            return response("304 Not Modified", said)
        body = encoded(self.snapshot | {"as_of": moment(self.now())})
        return response("200 OK", said | {"Content-Type": "application/json"}, body)

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        if not self.streams:
            writer.write(response("404 Not Found", {}, b"{}"))
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        self._streaming.add(writer)
        writer.write(self.event("heartbeat"))
        while True:
            await writer.drain()
            await asyncio.sleep(self.every_s)
            if not self.silent:
                writer.write(self.event("heartbeat"))

    async def _send(self, event: str, data: str | None) -> None:
        for writer in list(self._streaming):
            writer.write(self.event(event, data))

    def notice(self) -> dict[str, Any]:
        return {
            "revision": self.snapshot["revision"],
            "etag": self.etag,
            "as_of": moment(self.now()),
            "stale": self.snapshot["stale"],
            "age_s": self.snapshot["age_s"],
            "every_s": self.every_s,
        }

    def event(self, kind: str, data: str | None = None) -> bytes:
        return f"event: {kind}\ndata: {json.dumps(self.notice()) if data is None else data}\n\n".encode()


def response(status: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """An HTTP answer."""
    if not status.startswith("304"):
        headers = {"Content-Length": str(len(body)), **headers}
    lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


@contextmanager
def scripted(**settings: Any) -> Iterator[Scripted]:
    """A running one."""
    service = Scripted(**settings)
    thread = threading.Thread(target=service._loop.run_forever, daemon=True)
    thread.start()
    service.start()
    try:
        yield service
    finally:
        service.stop()
        asyncio.run_coroutine_threadsafe(_cancel_all(), service._loop).result(DEADLINE_S)
        service._loop.call_soon_threadsafe(service._loop.stop)
        thread.join(DEADLINE_S)
        service._loop.close()


def until(condition: Callable[[], object], what: str = "it") -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)


def version(client: WeightsClient) -> int | None:
    """The version that a client has of `home_feed`'s weights."""
    found = client.weights("home_feed")
    return None if found is None else found.version


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0.01)  # closed connections are given back in the loop's next turns


def _asked(head: bytes) -> Asked:
    first, *lines = head.decode().split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}
    return Asked(path=first.split(" ")[1], headers=headers, at=time.monotonic())
