"""What is counted of an item; whole numbers, so that no order of adding them makes a difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from reward_llm.domain.events import Event, EventType

MICROS: Final = 1_000_000
"""Of money, in one."""

_COUNTERS: Final[Mapping[EventType, str]] = {
    EventType.IMPRESSION: "impressions",
    EventType.CLICK: "clicks",
    EventType.COMPLETE: "completes",
    EventType.LIKE: "likes",
    EventType.SHARE: "shares",
    EventType.PURCHASE: "purchases",
    EventType.VIEW: "views",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The content agent's state: what became of an item so far; `published_ms` is 0 where that wasn't told."""

    impressions: int = 0
    boosted: int = 0
    clicks: int = 0
    views: int = 0
    dwell_ms: int = 0
    completes: int = 0
    likes: int = 0
    shares: int = 0
    purchases: int = 0
    revenue_micros: int = 0
    spent_micros: int = 0
    published_ms: int = 0

    @classmethod
    def read(cls, numbers: Mapping[str, int]) -> Counts:
        """The counts among numbers by name."""
        return cls(**{name: numbers[name] for name in COUNTED if name in numbers})


COUNTED: Final = tuple(f.name for f in fields(Counts))
"""The names of all counts."""


def additions(event: Event) -> dict[str, int]:
    """What an event adds to the counts of its item."""
    if event.type not in _COUNTERS:
        return {}
    added = {_COUNTERS[event.type]: 1}
    if event.type is EventType.IMPRESSION and event.boosted:
        added |= {"boosted": 1, "spent_micros": round((event.cost or 0.0) * MICROS)}
    if event.type is EventType.VIEW:
        added["dwell_ms"] = round((event.value or 0.0) * 1_000)
    if event.type is EventType.PURCHASE:
        added["revenue_micros"] = round((event.value or 0.0) * MICROS)
    return added
