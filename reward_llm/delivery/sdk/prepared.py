"""What could be served next."""

from __future__ import annotations

from dataclasses import dataclass

from reward_llm.delivery.sdk.fetch import Document
from reward_llm.delivery.sdk.snapshot import Snapshot
from reward_llm.delivery.sdk.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A snapshot and its table, made after the clock had gone back so often.

    It was read from a `document`, or else is what a notice made of what was served. The service said so at `said_at`,
    by the monotonic clock.
    """

    snapshot: Snapshot
    table: Table
    etag: str | None
    said_at: float
    setbacks: int
    document: Document | None
