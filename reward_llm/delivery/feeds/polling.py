"""No feed at all: the board looks at the store every now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from reward_llm.domain.ports import FeedStatus

KIND: Final = "polling"


class Polling:
    """A `reward_llm.domain.ports.ChangeFeed` that hears nothing, so that all is found by looking.

    Args:
        every_s: How often the board looks, in seconds.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s

    @property
    def kind(self) -> str:
        """What it listens to: nothing."""
        return KIND

    async def run(self, on_change: Callable[[], None]) -> None:
        """Wait until cancelled."""
        await asyncio.Event().wait()

    async def announce(self, revision: int) -> None:
        """Tell nobody; others look by themselves."""

    def status(self) -> FeedStatus:
        """Nothing can be lost."""
        return FeedStatus(kind=KIND, connected=True, silent_s=None, detail=f"looks every {self._every_s:g} s")
