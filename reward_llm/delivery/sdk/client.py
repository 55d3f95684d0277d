"""The client for threaded programs: it refreshes in one thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from reward_llm.delivery.sdk.base import BaseClient
from reward_llm.delivery.sdk.cache import SnapshotCache
from reward_llm.delivery.sdk.change import ClientChange
from reward_llm.delivery.sdk.config import ClientConfig
from reward_llm.delivery.sdk.threads import DaemonThreads

CLOSING_S: Final = 2.0
"""How long `close` waits for the thread, at most."""
_THREAD: Final = "reward-llm-weights"


@dataclass(slots=True, kw_only=True)
class _Worker:
    """The thread of one run, with what is needed to end it."""

    thread: threading.Thread | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    loop: asyncio.AbstractEventLoop | None = None
    task: asyncio.Task[None] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it goes on."""
        return self.thread is not None and self.thread.is_alive() and not self.stopping.is_set()

    def stop(self) -> None:
        """Ask it to end."""
        self.stopping.set()
        loop, task = self.loop, self.task
        if loop is not None and task is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed, so it has ended
                loop.call_soon_threadsafe(task.cancel)


class WeightsClient(BaseClient):
    """Looks weights up in memory, and keeps that memory fresh in a thread of its own.

    Any thread may look up. After `os.fork` the child goes on with what there was, which grows stale, until it calls
    `start` itself.

    >>> with WeightsClient("http://127.0.0.1:9", poll_s=1.0) as client:    # where nobody is
    ...     found = client.weights("home_feed", segment="new_user", unit="user_17")
    ...     ready = client.wait_ready(0.01)
    >>> (found, ready, client.health().stale)
    (None, False, True)
    """

    def __init__(self, base_url: str, config: ClientConfig | None = None, **overrides: Any) -> None:
        super().__init__(base_url, config, **overrides)
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._settled = threading.Event()

    def __enter__(self) -> WeightsClient:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def running(self) -> bool:
        """Whether it refreshes in this process."""
        worker = self._worker
        return worker is not None and worker.is_alive

    def start(self) -> None:
        """Begin to refresh, with what is remembered on disk; it doesn't wait for the network, nor fail without it."""
        with self._lock:
            if self.running:
                return
            cache = self._cache()
            change = self._begin_with(*self._recall(cache))
            self._settled.clear()
            self._worker = worker = _Worker()
            work = partial(self._work, worker, cache, change)
            worker.thread = threading.Thread(target=work, name=_THREAD, daemon=True)
            worker.thread.start()

    def wait_ready(self, seconds: float) -> bool:
        """Wait for a service's first answer, and say whether there are weights to serve.

        It waits at most so long, and where weights are remembered no longer than until the first try has failed.
        """
        self._settled.wait(min(max(0.0, seconds), threading.TIMEOUT_MAX))
        return self._keeper.source is not None

    def close(self) -> None:
        """End refreshing; lookups go on with what there is. Another `start` begins anew."""
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.stop()
        if worker.thread is not None and worker.thread is not threading.current_thread():
            worker.thread.join(CLOSING_S)

    def _work(self, worker: _Worker, cache: SnapshotCache | None, change: ClientChange | None) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._refresh(worker, cache, change))

    async def _refresh(self, worker: _Worker, cache: SnapshotCache | None, change: ClientChange | None) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(DaemonThreads())
        refresher = self._refresher = self._new_refresher(cache, self._check_settled)
        self._keeper.tell(change)
        worker.task, worker.loop = asyncio.current_task(), loop
        if not worker.stopping.is_set():
            await refresher.run()

    def _check_settled(self) -> None:
        if self._keeper.source is not None:
            self._settled.set()

    def _forked(self) -> None:
        self._abandoned += [self._worker, self._refresher]
        self._worker = self._refresher = None
        self._lock, self._settled = threading.Lock(), threading.Event()
