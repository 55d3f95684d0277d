"""Events in.

    sent ─► seen lately? ─► sink ─► sink ─► … ─► accepted
               │ duplicate      │ one fails: nothing counts as taken in, and all may be sent again

Events are remembered once all sinks have them, so what is sent again before that is handed on again: sinks may be
told of an event more than once, and tell it by its `event_id`.
"""

from __future__ import annotations

from collections.abc import Sequence

from reward_llm.domain.events import Event
from reward_llm.domain.ports.events import EventSink, Intaken
from reward_llm.feedback.intake.recent import RecentEvents


class Intake:
    """A `reward_llm.domain.ports.events.EventIntake`.

    Args:
        sinks: Where events go, in this order.
        recent: What is remembered of those that came in before.
    """

    def __init__(self, sinks: Sequence[EventSink], recent: RecentEvents | None = None) -> None:
        self._sinks = tuple(sinks)
        self._recent = recent or RecentEvents()

    async def take(self, events: Sequence[Event]) -> Intaken:
        """Hand on those that didn't come before."""
        fresh = self._recent.fresh(events)
        if fresh:
            for sink in self._sinks:
                await sink.publish(fresh)
            self._recent.remember(fresh)
        return Intaken(accepted=len(fresh), duplicates=len(events) - len(fresh))

    async def aclose(self) -> None:
        """Close the sinks."""
        for sink in self._sinks:
            await sink.aclose()
