"""A stream within one process, for installations that have one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

import structlog

from reward_llm.domain.events import MAX_EVENTS, Event
from reward_llm.domain.ports.events import Handle
from reward_llm.errors import EventsUnavailable

KIND: Final = "local"
MAX_WAITING: Final = 200_000
"""How many events may wait, some 100 MB."""
FAREWELL_S: Final = 5.0
_log = structlog.get_logger(__name__)


class LocalStream:
    """A `reward_llm.domain.ports.events.EventSink` and `EventSource` for one consumer, which keeps nothing on disk.

    Args:
        max_waiting: How many events may wait.
        farewell_s: How long what waits may take in the end.
    """

    def __init__(self, max_waiting: int = MAX_WAITING, farewell_s: float = FAREWELL_S) -> None:
        self._max_waiting = max_waiting
        self._farewell_s = farewell_s
        self._waiting: deque[Event] = deque()
        self._some = asyncio.Event()
        self._handle: Handle | None = None

    @property
    def kind(self) -> str:
        """What keeps them: this process."""
        return KIND

    @property
    def waiting(self) -> int:
        """How many events nobody has done with yet."""
        return len(self._waiting)

    async def publish(self, events: Sequence[Event]) -> None:
        """Hand events on, if there is room."""
        if len(self._waiting) + len(events) > self._max_waiting:
            raise EventsUnavailable(
                f"{len(self._waiting):,} events wait to be worked on", hint="Send them again after `Retry-After`."
            )
        self._waiting.extend(events)
        self._some.set()

    async def run(self, handle: Handle) -> None:
        """Hand on all events until cancelled."""
        self._handle = handle
        while True:
            await self._some.wait()
            await self._work_off(handle)
            self._some.clear()

    async def aclose(self) -> None:
        """Have done what waits, once `run` was cancelled, as far as there is time for it."""
        if self._handle is None:
            return
        try:
            async with asyncio.timeout(self._farewell_s):
                await self._work_off(self._handle)
        except TimeoutError:
            _log.error("events.lost", kind=KIND, events=len(self._waiting))

    async def _work_off(self, handle: Handle) -> None:
        while self._waiting:
            batch = list(islice(self._waiting, MAX_EVENTS))
            await handle(batch)
            for _ in batch:
                self._waiting.popleft()
