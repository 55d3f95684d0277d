"""Tells the program of changes: those that the service makes, and those that come by schedule.

    another table ──► the edges up to its moment, of the table before ─► what differs of now and later ─► callback
    an edge reached ► what is held otherwise than before ───────────────────────────────────────────────► callback

Each is told once: a snapshot that the service makes because an edge was reached says nothing else than was known.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Callable

from reward_llm.delivery.sdk.change import ClientChange
from reward_llm.delivery.sdk.logbook import note
from reward_llm.delivery.sdk.table import Table
from reward_llm.delivery.sdk.turns import differing, turned


class Telling:
    """What a callback was told, if there is one.

    Args:
        on_change: Called with every change; None for nobody.
    """

    def __init__(self, on_change: Callable[[ClientChange], None] | None) -> None:
        self._on_change = on_change
        self._told_s = float("-inf")

    @property
    def wanted(self) -> bool:
        """Whether somebody is told."""
        return self._on_change is not None

    def next_edge(self, table: Table) -> float | None:
        """When the next change that was not told comes by schedule, in seconds since 1970."""
        place = bisect_right(table.edges, self._told_s)
        return table.edges[place] if place < len(table.edges) else None

    def swapped(self, before: Table, after: Table, now_s: float, *, first: bool) -> ClientChange | None:
        """What to `tell` of another table, after what was still to tell of the one before."""
        if not self.wanted:
            return None
        now_s = max(now_s, after.as_of_s)
        if not first:
            self.pass_edges(before, now_s)
        self._told_s = now_s
        scopes = frozenset(differing(before, after, now_s))
        revision = after.standing.revision
        old = None if first else before.standing.revision
        return ClientChange(scopes=scopes, old_revision=old, new_revision=revision) if scopes else None

    def pass_edges(self, table: Table, now_s: float) -> None:
        """Tell of what began or ended since the last time; where time went back, of what began or ended again."""
        since_s, self._told_s = self._told_s, max(now_s, table.as_of_s)
        if not self.wanted or bisect_right(table.edges, since_s) == bisect_right(table.edges, self._told_s):
            return
        scopes = frozenset(turned(table, since_s, self._told_s))
        revision = table.standing.revision
        if scopes:
            self.tell(ClientChange(scopes=scopes, old_revision=revision, new_revision=revision))

    def tell(self, change: ClientChange | None) -> None:
        """Call whoever wants to know, if there is a change."""
        if change is None or self._on_change is None:
            return
        try:
            self._on_change(change)
        except Exception:  # noqa: BLE001 - it is somebody else's, and refreshing mustn't end for it
            note(logging.ERROR, "the callback for changes failed; the weights are served all the same", exc_info=True)
