"""How one process learns that another has changed what is served."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

BEAT_S: Final = 2.0
"""How often a source sends itself a beat, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """How a feed is.

    `silent_s` is how long ago it was heard, in seconds; None where there is nothing to hear. While `connected` is
    false, changes are found by looking for them every now and then.
    """

    kind: str
    connected: bool
    silent_s: float | None
    detail: str


class ChangeFeed(Protocol):
    """Tells a process of changes, and others of its own."""

    @property
    def kind(self) -> str:
        """What it listens to."""
        ...

    async def run(self, on_change: Callable[[], None]) -> None:
        """Listen until cancelled, and connect again whenever the feed is lost.

        Args:
            on_change: Called on the event loop when something may have changed, which is also after each connect.
        """
        ...

    async def announce(self, revision: int) -> None:
        """Tell other processes of a change that was committed here; never waits for the network."""
        ...

    def status(self) -> FeedStatus:
        """How the feed is now."""
        ...


class FeedSource(Protocol):
    """One way to hear of changes, without any care for what is lost."""

    @property
    def kind(self) -> str:
        """What it listens to."""
        ...

    async def listen(self, on_change: Callable[[], None], on_beat: Callable[[], None]) -> None:
        """Connect and listen until cancelled, or until the connection is lost.

        Args:
            on_change: Called on the event loop for each change that is heard.
            on_beat: The same for each beat of its own, which travels the way that changes do.

        Raises:
            Exception: Whatever the connection failed with.
        """
        ...

    async def announce(self, revision: int) -> None:
        """Tell other processes of a change, as soon as there is a connection."""
        ...
