"""Several servers on one database behind one address."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.network import FaultyProxy
from tests.service import Service, service


@dataclass(slots=True)
class Fleet:
    """The servers, which can be ended and started again one by one, and the address before them."""

    folder: Path
    ports: tuple[int, ...]
    proxy: FaultyProxy
    settings: dict[str, str]
    servers: dict[int, Service] = field(default_factory=dict)
    _stacks: dict[int, ExitStack] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.proxy.url

    def url_of(self, number: int) -> str:
        """The address of one server, past the proxy."""
        return f"http://127.0.0.1:{self.ports[number]}"

    def start(self, number: int) -> None:
        """Start a server, and wait until it is live."""
        folder = self.folder / f"server{number}"
        folder.mkdir(exist_ok=True)
        stack = self._stacks[number] = ExitStack()
        self.servers[number] = stack.enter_context(service(folder, self.ports[number], **self.settings))

    def stop(self, number: int) -> None:
        """Stop a server as it should be stopped."""
        self.servers.pop(number)
        self._stacks.pop(number).close()

    def kill(self, number: int) -> None:
        """End a server as a power cut would."""
        self.servers[number].kill()
        self.stop(number)

    async def restart(self, number: int, *, kill: bool) -> None:
        """Have a server end and come back, while the event loop goes on."""
        await asyncio.to_thread(self.kill if kill else self.stop, number)
        await asyncio.to_thread(self.start, number)

    def close(self) -> None:
        for number in tuple(self.servers):
            self.stop(number)


@contextmanager
def fleet(folder: Path, count: int, **settings: str) -> Iterator[Fleet]:
    """So many servers, live; `settings` are as `tests.service.service` takes them."""
    ports = tuple(_free_port() for _ in range(count))
    with FaultyProxy(*ports) as proxy:
        made = Fleet(folder, ports, proxy, {"backend": "rules", "log_level": "warning", **settings})
        try:
            with ThreadPoolExecutor(count) as pool:
                list(pool.map(made.start, range(count)))
            yield made
        finally:
            made.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
