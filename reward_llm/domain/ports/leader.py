"""Who of several processes does what only one may do, and how its work goes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Leadership(Protocol):
    """What a process holds while it leads."""

    async def lost(self) -> None:
        """Wait until it is lost, which it may never be."""
        ...


class LeaderLock(Protocol):
    """A lock of which there is one for everybody who works on one database.

    A process that dies has let it go. Who can't reach the others may go on for a moment after somebody else has got
    it, so what a leader writes is guarded by revisions besides.
    """

    @property
    def name(self) -> str:
        """What is locked, for the log."""
        ...

    def attempt(self) -> AbstractAsyncContextManager[Leadership | None]:
        """Lead while the block runs, or give None at once if somebody else does.

        Raises:
            StoreUnavailable: If nobody can say who leads.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyRecord:
    """How often a duty was done here and how often it failed, and how its last time went.

    `error` is what ended the last time, '' if nothing did.
    """

    runs: int = 0
    failures: int = 0
    last_at: datetime | None = None
    last_s: float = 0.0
    error: str = ""


class WorkerStatus(Protocol):
    """What can be told of a worker."""

    @property
    def leads(self) -> bool:
        """Whether it is this one that does the duties now."""
        ...

    @property
    def records(self) -> Mapping[str, DutyRecord]:
        """Its duties by their names."""
        ...
