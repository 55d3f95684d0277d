"""How events travel from who takes them in to who lives by them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from reward_llm.domain.events import Event

Handle = Callable[[Sequence[Event]], Awaitable[None]]
"""Does what is to be done with some events; they are done with when it returns, and come again if it doesn't."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intaken:
    """What became of events that were sent in, by number; those that came before are `duplicates`."""

    accepted: int
    duplicates: int


class EventIntake(Protocol):
    """Where events come in."""

    async def take(self, events: Sequence[Event]) -> Intaken:
        """Take in events that have no problems.

        Raises:
            EventsUnavailable: If they can't be kept now; none of them counts as taken in.
        """
        ...


class EventSink(Protocol):
    """Where events go."""

    @property
    def kind(self) -> str:
        """What keeps them."""
        ...

    async def publish(self, events: Sequence[Event]) -> None:
        """Hand events on, and come back when they are kept.

        Raises:
            EventsUnavailable: If they can't be kept now; some of them may have been.
        """
        ...

    async def aclose(self) -> None:
        """Let the connection go."""
        ...


class EventSource(Protocol):
    """Where events come from."""

    @property
    def kind(self) -> str:
        """What keeps them."""
        ...

    async def run(self, handle: Handle) -> None:
        """Hand on all events until cancelled, each at least once, in about the order in which they were published.

        What can't be read is logged and passed over. A source that is lost is connected to again.
        """
        ...

    async def aclose(self) -> None:
        """Let the connection go."""
        ...
