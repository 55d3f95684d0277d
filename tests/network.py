"""A network that fails on demand: a TCP proxy on loopback in a thread of its own.

    client ─► FaultyProxy ─► the backends in turn, a connection each

Faults that last are set (`proxy.set(silent=True)`, `proxy.heal()`) and hold for connections old and new; what
happens once to all open connections is done (`proxy.reset()`, `proxy.cut()`, `proxy.freeze()`).
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Self

from tests.faults import Faults, Heads, Seen

_CHUNK: Final = 65_536
_SLICES_PER_S: Final = 20
"""Into how many writes a second's worth of bytes is divided on a slow connection."""
_ABORT: Final = struct.pack("ii", 1, 0)
"""SO_LINGER that has a close send RST."""
_TURNS: Final = 5
"""Of the loop, after which what was closed is gone."""
_PATIENCE_S: Final = 30.0


@dataclass(slots=True, eq=False)
class _Connection:
    """One client's, with the tasks and the sockets that belong to it."""

    writers: list[asyncio.StreamWriter]
    task: asyncio.Task[Any] | None = None
    frozen: bool = False
    passed: int = 0
    """Bytes of answers since the faults were last changed."""

    def abort(self) -> None:
        for writer in self.writers:
            raw = writer.get_extra_info("socket")
            if raw is not None and raw.fileno() >= 0:
                with suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            writer.transport.abort()


class FaultyProxy:
    """Passes each connection on to the next of the backends that takes it, and breaks what it is told to.

    Args:
        ports: The backends', on loopback.
    """

    def __init__(self, *ports: int) -> None:
        self._backends = ports
        self._turn = 0
        self._faults = Faults()
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()
        self.connections: list[float] = []
        """When each was accepted, by `time.monotonic()`."""
        self.requests: list[Seen] = []
        self._guard = _reserved()
        self.port: int = self._guard.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="faulty proxy", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def open(self) -> int:
        """How many connections clients have."""
        return len(self._open)

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_S)
        self._loop.close()
        self._guard.close()

    def set(self, **faults: Any) -> None:
        """From now on these faults and no others; see `Faults`."""
        self._call(self._set(Faults(**faults)))

    def heal(self) -> None:
        """No faults; connections that were frozen stay so."""
        self.set()

    @contextmanager
    def suffering(self, **faults: Any) -> Iterator[None]:
        """These faults, and none afterwards."""
        self.set(**faults)
        try:
            yield
        finally:
            self.heal()

    def point_to(self, *ports: int) -> None:
        """Other backends for new connections."""
        self._backends = ports

    def reset(self) -> None:
        """Reset (RST) every open connection, on both sides."""
        self._call(self._end_all())

    def cut(self) -> None:
        """End every open connection as if its answer were over (FIN)."""
        self._call(self._end_all(reset=False))

    def freeze(self) -> None:
        """Never pass on anything more on the connections that are open now, nor their ends: they are half-open."""
        self._call(self._freeze())

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_S)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, reuse_port=True, limit=_CHUNK, backlog=1_024
        )

    async def _set(self, faults: Faults) -> None:
        self._faults = faults
        for connection in self._open:
            connection.passed = 0
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        if faults.refuse and self._server is not None:
            self._server.close()
            self._server = None
        elif not faults.refuse and self._server is None:
            await self._listen()

    async def _freeze(self) -> None:
        for connection in self._open:
            connection.frozen = True

    async def _end_all(self, *, reset: bool = True) -> None:
        for connection in tuple(self._open):
            if reset:
                connection.abort()
            if connection.task is not None:
                connection.task.cancel()
        await asyncio.gather(*(c.task for c in self._open if c.task), return_exceptions=True)

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._end_all()
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(time.monotonic())
        connection = _Connection([writer], task=asyncio.current_task())
        self._open.add(connection)
        try:
            await self._carry(connection, reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(connection)
            for each in connection.writers:
                each.close()

    async def _carry(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await self._passable(connection)
        if self._faults.answer is not None:
            await self._upstream(connection, reader, None)
            return
        try:
            from_backend, to_backend = await self._connected()
        except ConnectionError:
            connection.abort()
            return
        connection.writers.append(to_backend)
        ways = {
            asyncio.ensure_future(self._upstream(connection, reader, to_backend)),
            asyncio.ensure_future(self._downstream(connection, from_backend, writer)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            ended = await asyncio.gather(*ways, return_exceptions=True)
        if any(isinstance(e, ConnectionError) for e in ended):
            connection.abort()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        backends = self._backends
        for _ in backends:
            self._turn += 1
            with suppress(ConnectionError):
                return await asyncio.open_connection("127.0.0.1", backends[self._turn % len(backends)], limit=_CHUNK)
        raise ConnectionError("no backend takes it")

    async def _upstream(
        self, connection: _Connection, reader: asyncio.StreamReader, to: asyncio.StreamWriter | None
    ) -> None:
        heads = Heads(self.requests.append)
        while data := await reader.read(_CHUNK):
            await self._passable(connection)
            asked, answer = heads.feed(data), self._faults.answer
            if asked and answer is not None:
                await self._write(connection, connection.writers[0], answer)
                return
            if to is not None:
                await self._write(connection, to, data)
            elif answer is None:
                return
        await self._passable(connection)

    async def _downstream(
        self, connection: _Connection, reader: asyncio.StreamReader, to: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(_CHUNK):
            await self._passable(connection)
            if self._faults.rewrite is not None:
                data = self._faults.rewrite(data)
            if (most := self._faults.truncate_after) is not None:
                data = data[: most - connection.passed]
            connection.passed += len(data)
            await self._write(connection, to, data)
            if most is not None and connection.passed >= most:
                return
        await self._passable(connection)

    async def _write(self, connection: _Connection, to: asyncio.StreamWriter, data: bytes) -> None:
        if self._faults.latency_s:
            await asyncio.sleep(self._faults.latency_s)
        while data:
            rate = self._faults.bytes_per_s
            size = len(data) if rate is None else max(1, int(rate / _SLICES_PER_S))
            if rate is not None:
                await asyncio.sleep(min(size, len(data)) / rate)
            to.write(data[:size])
            await to.drain()
            data = data[size:]
            await self._passable(connection)

    async def _passable(self, connection: _Connection) -> None:
        while connection.frozen or self._faults.silent:
            await self._changed.wait()


def _reserved() -> socket.socket:
    """A socket that keeps a port for us, and has it refuse connections while nothing listens."""
    guard = socket.socket()
    guard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    guard.bind(("127.0.0.1", 0))
    return guard
