"""What is asked of the audit log, and of the place where its checkpoints are kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from reward_llm.domain.audit import AuditRecord, Checkpoint, LogHead
from reward_llm.domain.audit_flaws import Verification
from reward_llm.domain.ports.records import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which records are looked for; what is None doesn't matter.

    `action` is what the action begins with, such as `policy.`; `chains` are scenarios, '' for what belongs to
    none; records are from `since` on and before `until`.
    """

    subject: str | None = None
    actor: str | None = None
    action: str | None = None
    chains: Collection[str] | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditLog(Protocol):
    """What happened, append-only.

    All methods raise StoreUnavailable when the database can't be read.
    """

    async def records(self, query: AuditQuery, *, cursor: str | None = None, limit: int = 50) -> Page[AuditRecord]:
        """The records that fit, newest first.

        Raises:
            InvalidInput: If the cursor isn't one of ours.
        """
        ...

    async def record(self, sequence: int) -> AuditRecord:
        """One record.

        Raises:
            AuditRecordUnknown: If there is none of that sequence.
        """
        ...

    async def stretch(self, first: int, last: int) -> Sequence[AuditRecord]:
        """The records from `first` to `last`, oldest first, or as many of them as are given at once."""
        ...

    async def head(self) -> LogHead:
        """Where the log ends."""
        ...

    async def verification(self, checkpoints: Sequence[Checkpoint] = ()) -> Verification:
        """Walk the whole log, and compare what it replays to with what the store holds."""
        ...

    async def verification_since(self, start: LogHead) -> Verification:
        """Walk the log from where it was known to end, if it still has what was there."""
        ...


class LogAuditor(Protocol):
    """Says whether the audit log still is what was written."""

    async def verification(self) -> Verification:
        """Walk the whole log, and compare what it replays to with what the store holds.

        Raises:
            StoreUnavailable: If the log can't be read.
            CheckpointsUnavailable: If the checkpoints can't be read.
        """
        ...


class CheckpointStore(Protocol):
    """Where signed checkpoints are kept, outside the database that they vouch for.

    All methods raise CheckpointsUnavailable when the place can't be read or written.
    """

    async def put(self, name: str, content: bytes) -> None:
        """Keep a checkpoint under a name; one that is there already stays as it is."""
        ...

    async def contents(self) -> dict[str, bytes]:
        """All checkpoints by name, in the order of their names."""
        ...

    async def latest(self) -> tuple[str, bytes] | None:
        """The checkpoint of the last name, None if there are none."""
        ...
