"""What a client's callback is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientChange:
    """Other weights were taken over, or began or ended by schedule.

    `scopes` are those that hold something else now, or will at other moments than before, each a scenario and a
    segment or None. The revisions count the service's changes: `old_revision` is None at first, and both are the
    same where a schedule's edge was reached, be the service there or away.
    """

    scopes: frozenset[tuple[str, str | None]]
    old_revision: int | None
    new_revision: int
