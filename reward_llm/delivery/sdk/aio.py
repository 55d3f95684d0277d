"""The client for asynchronous programs: it refreshes in a task of the caller's event loop."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import Any

from reward_llm.delivery.sdk.base import BaseClient
from reward_llm.delivery.sdk.config import ClientConfig


class AsyncWeightsClient(BaseClient):
    """Looks weights up in memory, and keeps that memory fresh in a task.

    After `os.fork` the child goes on with what there was, which grows stale, until it calls `start` itself.

    >>> async def found():
    ...     async with AsyncWeightsClient("http://127.0.0.1:9") as client:    # where nobody is
    ...         return client.weights("home_feed", unit="user_17"), await client.wait_ready(0.01)
    >>> asyncio.run(found())
    (None, False)
    """

    def __init__(self, base_url: str, config: ClientConfig | None = None, **overrides: Any) -> None:
        super().__init__(base_url, config, **overrides)
        self._task: asyncio.Task[None] | None = None
        self._settled: asyncio.Event | None = None

    async def __aenter__(self) -> AsyncWeightsClient:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def running(self) -> bool:
        """Whether it refreshes in this process."""
        task = self._task
        return task is not None and not task.done()

    async def start(self) -> None:
        """Begin to refresh, with what is remembered on disk; it doesn't wait for the network, nor fail without it."""
        if self.running:
            return
        self._settled, begun = asyncio.Event(), asyncio.Event()
        self._task = asyncio.create_task(self._refresh(begun, self._settled), name="reward-llm-weights")
        await begun.wait()

    async def wait_ready(self, seconds: float) -> bool:
        """Wait for a service's first answer, and say whether there are weights to serve.

        It waits at most so long, and where weights are remembered no longer than until the first try has failed.
        """
        if self._settled is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, seconds)):
                    await self._settled.wait()
        return self._keeper.source is not None

    async def close(self) -> None:
        """End refreshing; lookups go on with what there is. Another `start` begins anew."""
        task, self._task = self._task, None
        if task is None or task.done():
            return
        task.cancel()
        await asyncio.wait({task})

    async def _refresh(self, begun: asyncio.Event, settled: asyncio.Event) -> None:
        try:
            cache = self._cache()
            change = self._begin_with(*await asyncio.to_thread(self._recall, cache))
        finally:
            begun.set()
        refresher = self._refresher = self._new_refresher(cache, partial(self._check_settled, settled))
        self._keeper.tell(change)
        await refresher.run()

    def _check_settled(self, settled: asyncio.Event) -> None:
        if self._keeper.source is not None:
            settled.set()

    def _forked(self) -> None:
        self._abandoned += [self._task, self._refresher]
        self._task = self._refresher = None
