"""The service on a port, in a thread of its own, for a browser to visit."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from reward_llm.bootstrap.console import add_console
from reward_llm.console import ConsoleConfig
from tests.api.harness import Clock, Desk, Setup

START_S = 30.0


class RealTime(Clock):
    """The time that it is."""

    def __call__(self) -> datetime:
        self.now = datetime.now(UTC)
        return self.now


@dataclass(slots=True)
class Site:
    """A service that browsers can reach, and the way to its interface."""

    url: str
    http: httpx.Client
    desk: Desk
    loop: asyncio.AbstractEventLoop

    def api(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Have the interface do something, beside the browser."""
        response = self.http.request(method, path, json=body, headers=headers)
        assert response.is_success, response.text
        return response.json()

    def run(self, doing: Coroutine[Any, Any, None]) -> None:
        """Have something done within the service, which the interface has no way to ask for."""
        asyncio.run_coroutine_threadsafe(doing, self.loop).result(START_S)


@contextmanager
def site(database: Path, config: ConsoleConfig | None = None, **options: Any) -> Iterator[Site]:
    """The service over a database; what `Setup` and its `start` take, and `api` (its config), say what it is."""
    parts = {name: options.pop(name, None) for name in ("reranker", "online")}
    if api := options.pop("api", None):
        options["config"] = api
    started: list[tuple[Desk, asyncio.AbstractEventLoop, int]] = []
    ready, stop = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    async def serve() -> None:
        setup = Setup(path=database, clock=RealTime(), **parts)
        async with setup.start(**options) as desk:
            add_console(desk.app, config or ConsoleConfig())
            server = uvicorn.Server(uvicorn.Config(desk.app, log_level="critical", lifespan="off"))
            listening = socket.create_server(("127.0.0.1", 0))
            serving = asyncio.create_task(server.serve([listening]))
            started.append((desk, asyncio.get_running_loop(), listening.getsockname()[1]))
            ready.set()
            await asyncio.to_thread(stop.wait)
            server.should_exit = True
            await serving

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as exc:
            failures.append(exc)
            raise
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="site")
    thread.start()
    try:
        assert ready.wait(START_S), "the site doesn't start"
        assert started, failures
        desk, loop, port = started[0]
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, timeout=START_S, trust_env=False) as http:
            yield Site(url=url, http=http, desk=desk, loop=loop)
    finally:
        stop.set()
        thread.join(START_S)
