"""The last few changes of a snapshot, so that who has one of the last few can be told what to put in its place.

snapshot A ─► B ─► C      who has A is told the items that B and C changed, each as it is in C

Only small changes are kept: what is large is better asked for than pushed to everybody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from reward_llm.domain.notices import CarriedChange
from reward_llm.domain.serving import EncodedSnapshot

KEPT_STEPS: Final = 16
"""Who is further behind asks for the snapshot."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What came in the place of what the snapshot with that entity tag had, by its place."""

    since: str
    items: Mapping[int, bytes]


class Steps:
    """The newest snapshot of those who may see the same, and how it came to be.

    Args:
        most_bytes: How long the items of a change may be together; longer ones aren't carried.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._newest: EncodedSnapshot | None = None
        self._steps: deque[_Step] = deque(maxlen=KEPT_STEPS)

    def append(self, snapshot: EncodedSnapshot) -> None:
        """Take note of the snapshot that holds now."""
        before, self._newest = self._newest, snapshot
        if before is None or before.etag == snapshot.etag:
            return
        items = self._difference(before.parts, snapshot.parts)
        if items is None:
            self._steps.clear()
        else:
            self._steps.append(_Step(before.etag, items))

    def since(self, etag: str) -> CarriedChange | None:
        """What makes the newest snapshot of the one with this entity tag; None if that isn't known, or too much."""
        items: dict[int, bytes] = {}
        for step in reversed(self._steps):
            items = {**step.items, **items}
            if step.since == etag:
                fits = _length(items.values()) <= self._most_bytes
                ordered = (items[place] for place in sorted(items))
                return CarriedChange(since=etag, items=b",".join(ordered)) if fits else None
        return None

    def _difference(self, before: tuple[bytes, ...], after: tuple[bytes, ...]) -> dict[int, bytes] | None:
        """The parts that differ, by their places; None if they are too long, or of other scopes."""
        if len(before) != len(after):
            return None
        pairs = enumerate(zip(before, after, strict=True))
        items = {place: new for place, (old, new) in pairs if new is not old and new != old}
        return items if _length(items.values()) <= self._most_bytes else None


def _length(items: Iterable[bytes]) -> int:
    return sum(len(item) + 1 for item in items)
