"""Which events came in lately."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reward_llm.domain.events import Event

REMEMBERED: Final = 200_000
"""How many ids a process remembers at least, some 30 MB; at most twice as many."""

_Id = tuple[str, str]


class RecentEvents:
    """The ids of the last events that came in through this process, in two generations.

    What is forgotten, or came in through another process, is told apart by who lives by the events.

    Args:
        remembered: How many ids it holds at least.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._size = remembered
        self._young: set[_Id] = set()
        self._old: set[_Id] = set()

    def fresh(self, events: Iterable[Event]) -> list[Event]:
        """Those of the events that didn't come in before, each once."""
        known: dict[_Id, Event] = {}
        for event in events:
            event_id = _id(event)
            if event_id not in self._young and event_id not in self._old:
                known.setdefault(event_id, event)
        return list(known.values())

    def remember(self, events: Iterable[Event]) -> None:
        """Note that these came in."""
        self._young.update(map(_id, events))
        if len(self._young) >= self._size:
            self._old, self._young = self._young, set()


def _id(event: Event) -> _Id:
    return event.scenario, event.event_id
