"""Puts events into one log, by one thread, many requests' events at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final

import duckdb
import structlog

from reward_llm.domain.events import Event
from reward_llm.errors import EventsUnavailable
from reward_llm.feedback.metrics.log import EventLog

MAX_WAITING: Final = 100_000
"""How many events may wait for the disk."""
MAX_AT_ONCE: Final = 10_000
"""How many are written by one transaction, unless more were sent at once."""
_log = structlog.get_logger(__name__)
_Waiting = tuple[Sequence[Event], "asyncio.Future[None]"]


class LogWriter:
    """Writes what came while the last transaction was written by the next one, so that a slow disk makes larger ones.

    Args:
        log: Where to.
        max_waiting: How many events may wait.
    """

    def __init__(self, log: EventLog, max_waiting: int = MAX_WAITING) -> None:
        self._log = log
        self._max_waiting = max_waiting
        self._waiting: deque[_Waiting] = deque()
        self._count = 0
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="metrics-writer")
        self._is_closed = False

    async def write(self, events: Sequence[Event]) -> None:
        """Come back once the events are on the disk.

        Raises:
            EventsUnavailable: If they can't be written, or too many wait.
        """
        if self._is_closed:
            raise EventsUnavailable("the log of events is closed", hint="Send them again after `Retry-After`.")
        if self._count + len(events) > self._max_waiting:
            raise EventsUnavailable(
                f"{self._count:,} events wait for the disk", hint="Send them again after `Retry-After`."
            )
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((events, done))
        self._count += len(events)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work_off())
        await done

    async def prune(self, before: datetime) -> None:
        """Have the log forget what happened by then.

        Raises:
            duckdb.Error: If it can't.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._log.prune, before)

    async def aclose(self) -> None:
        """Write what waits, and close the log."""
        self._is_closed = True
        if self._task is not None:
            await self._task
        await asyncio.get_running_loop().run_in_executor(self._thread, self._log.close)
        self._thread.shutdown()

    async def _work_off(self) -> None:
        while self._waiting:
            batch = self._next()
            failure = await self._written([e for events, _ in batch for e in events])
            for events, done in batch:
                self._count -= len(events)
                if done.cancelled():
                    continue
                if failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(failure)

    def _next(self) -> list[_Waiting]:
        batch = [self._waiting.popleft()]
        count = len(batch[0][0])
        while self._waiting and count + len(self._waiting[0][0]) <= MAX_AT_ONCE:
            batch.append(self._waiting.popleft())
            count += len(batch[-1][0])
        return batch

    async def _written(self, events: Sequence[Event]) -> EventsUnavailable | None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._log.append, events)
        except duckdb.Error as exc:
            _log.warning("metrics.unwritten", events=len(events), error=str(exc))
            return EventsUnavailable("events can't be written now", hint="Send them again after `Retry-After`.")
        return None
