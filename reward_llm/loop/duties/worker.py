"""Does duties while it leads.

try the lock ── somebody else leads ──► wait ──► try again
     │ got it
     ├── each duty by itself: do it, wait for the rest of its interval, do it again …
     │
     ├── lost the lock ──► cut off what runs, since somebody else may be doing it ──► try again
     └── told to stop ───► let what runs end, within `grace_s` ──► let go of the lock
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import structlog

from reward_llm.domain.duties import Duty
from reward_llm.domain.ports import Clock
from reward_llm.domain.ports.leader import DutyRecord, LeaderLock, Leadership
from reward_llm.errors import Conflict, InvalidInput, StoreUnavailable

_WARNINGS: Final = frozenset({"worker.lock_away", "worker.lost_the_lock"})
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """How eagerly the lock is tried, and how patiently the end is awaited."""

    retry_s: float = 2.0
    """How long to wait before the lock is tried again."""
    grace_s: float = 10.0
    """How long a duty that is being done may take at shutdown."""


class Worker:
    """A `reward_llm.domain.ports.leader.WorkerStatus` that does the duties itself.

    Args:
        lock: Who has it leads.
        duties: What is to be done; each has a name of its own.
        clock: The time, for the records.
        config: How eager and how patient it is.

    Raises:
        InvalidInput: If two duties have one name, or one has no interval.
    """

    def __init__(
        self, lock: LeaderLock, duties: Sequence[Duty], clock: Clock, config: WorkerConfig | None = None
    ) -> None:
        if len({d.name for d in duties}) < len(duties) or any(d.every.total_seconds() <= 0 for d in duties):
            raise InvalidInput("every duty needs a name of its own and an interval")
        self._lock = lock
        self._duties = duties
        self._clock = clock
        self._config = config or WorkerConfig()
        self._records = {d.name: DutyRecord() for d in duties}
        self._leads = False
        self._said = ""

    @property
    def leads(self) -> bool:
        """Whether it is this one that does the duties now."""
        return self._leads

    @property
    def records(self) -> Mapping[str, DutyRecord]:
        """Its duties by their names."""
        return MappingProxyType(self._records)

    async def run(self) -> None:
        """Lead whenever nobody else does, until cancelled; what is being done then may still end."""
        while True:
            try:
                async with self._lock.attempt() as leadership:
                    if leadership is None:
                        self._say("worker.follows")
                    else:
                        await self._lead(leadership)
            except StoreUnavailable as exc:
                self._say("worker.lock_away", exc.message)
            await asyncio.sleep(self._config.retry_s)

    async def once(self) -> Mapping[str, DutyRecord]:
        """Do every duty one time, one after the other.

        Raises:
            Conflict: If somebody else leads.
            StoreUnavailable: If nobody can say who does.
        """
        async with self._lock.attempt() as leadership:
            if leadership is None:
                raise Conflict("another process does the duties now", hint="Stop it first, or leave them to it.")
            for duty in self._duties:
                await self._do(duty)
        return self.records

    async def _lead(self, leadership: Leadership) -> None:
        self._say("worker.leads")
        stopping = asyncio.Event()
        tasks = [asyncio.create_task(self._repeat(duty, stopping)) for duty in self._duties]
        grace_s = self._config.grace_s
        self._leads = True
        try:
            await leadership.lost()
            grace_s = 0.0
            self._say("worker.lost_the_lock")
        finally:
            self._leads = False
            stopping.set()
            await _ended(tasks, grace_s)

    def _say(self, event: str, error: str | None = None) -> None:
        """Tell what has become of leading, if it is something else than before."""
        if event != self._said:
            level = "warning" if event in _WARNINGS else "info"
            getattr(_log, level)(event, lock=self._lock.name, **({"error": error} if error else {}))
        self._said = event

    async def _repeat(self, duty: Duty, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            took_s = await self._do(duty)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(duty.every.total_seconds() - took_s, 0.0)):
                    await stopping.wait()

    async def _do(self, duty: Duty) -> float:
        began_s, error = time.monotonic(), ""
        at = self._clock()
        try:
            await duty.run()
        except Exception as exc:  # noqa: BLE001 - the other duties go on, and so does this one
            error = f"{type(exc).__name__}: {exc}"
            _log.exception("duty.failed", duty=duty.name)
        took_s = time.monotonic() - began_s
        before = self._records[duty.name]
        self._records[duty.name] = replace(
            before,
            runs=before.runs + 1,
            failures=before.failures + bool(error),
            last_at=at,
            last_s=took_s,
            error=error,
        )
        _log.debug("duty.done", duty=duty.name, seconds=round(took_s, 3), failed=bool(error))
        return took_s


async def _ended(tasks: Sequence[asyncio.Task[None]], grace_s: float) -> None:
    """Wait for them so long, and then cut them off."""
    if grace_s and tasks:
        await asyncio.wait(tasks, timeout=grace_s)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
