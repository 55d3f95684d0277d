"""An application behind real sockets, by a protocol of choice, and clients that speak bytes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

SOON_S = 30.0
_ID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(slots=True)
class Counted:
    """An application that counts the requests which reach it by ASGI."""

    app: Any
    requests: int = 0

    @property
    def state(self) -> Any:
        return self.app.state

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests += 1
        await self.app(scope, receive, send)


@dataclass(slots=True)
class Door:
    """A listening server."""

    port: int
    app: Counted
    protocols: list[HttpToolsProtocol] = field(default_factory=list)

    async def connected(self) -> Connection:
        return Connection(*await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 24))

    async def talk(self, parts: Iterable[bytes]) -> bytes:
        """All that is answered to the parts, of which the last asks to close the connection; ids are left out."""
        connection = await self.connected()
        for part in parts:
            connection.writer.write(part)
            await connection.writer.drain()
            await asyncio.sleep(0)
        answer = await asyncio.wait_for(connection.reader.read(), SOON_S)
        await connection.aclose()
        return _ID.sub(b"ID", answer)


@dataclass(slots=True)
class Connection:
    """One that is kept."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, request: bytes) -> bytes:
        self.writer.write(request)
        return await self.answer()

    async def answer(self) -> bytes:
        """The next answer, whole; of what is chunked only the head."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), SOON_S)
        length = re.search(rb"\r\ncontent-length: (\d+)", head)
        body = await self.reader.readexactly(int(length[1])) if length else b""
        return head + body

    async def aclose(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@asynccontextmanager
async def listening(
    app: Any, protocol: type[HttpToolsProtocol], state: ServerState | None = None, **options: Any
) -> AsyncIterator[Door]:
    """The application, whose lifespan is somebody else's; answers begin with the header fields of the `state`."""
    counted, state = Counted(app), state or ServerState()
    options = {"lifespan": "off", "log_config": None, "access_log": False, "ws": "none", **options}
    config = uvicorn.Config(counted, http=protocol, **options)
    config.load()
    door = Door(port=0, app=counted)

    def connection() -> HttpToolsProtocol:
        door.protocols.append(protocol(config=config, server_state=state, app_state={}))
        return door.protocols[-1]

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    door.port = server.sockets[0].getsockname()[1]
    try:
        yield door
    finally:
        server.close()
        for kept in list(state.connections):
            kept.shutdown()
        for _ in range(200):
            if not state.connections:
                break
            await asyncio.sleep(0.01)
        for kept in list(state.connections):
            kept.transport.abort()


def get(path: str, *fields: str, end: str = "", version: str = "1.1", method: str = "GET") -> bytes:
    """A request as it is sent, without a body."""
    lines = [f"{method} {path} HTTP/{version}", *(fields or ("Host: test",)), *([end] if end else []), "", ""]
    return "\r\n".join(lines).encode("latin-1")
