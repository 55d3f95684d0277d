"""Watches the clocks: for what begins and ends by schedule, and for sleep that the monotonic clock doesn't count."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from reward_llm.delivery.sdk.asking import Asker
from reward_llm.delivery.sdk.keeper import Keeper
from reward_llm.delivery.sdk.logbook import note
from reward_llm.delivery.sdk.trouble import Trouble

LOOK_S: Final = 1.0
"""The longest time from one look at the clocks to the next, in seconds."""
LEAST_S: Final = 2.0
"""The wall clock has to run ahead by more than this from one look to the next; less may be its being adjusted."""


class Suspensions:
    """Sleep of the machine, by how far the wall clock runs ahead of the monotonic one, which stands still meanwhile.

    A wall clock that is set forward looks the same. So what is noticed only makes weights older and has the service
    asked, which says how it is.

    Args:
        wall: This machine's clock, in seconds since 1970.
        monotonic: Seconds that never go back.
    """

    def __init__(self, *, wall: Callable[[], float], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._ahead_s = wall() - monotonic()

    def look(self) -> float:
        """How many seconds the machine has slept since the last look."""
        before, self._ahead_s = self._ahead_s, self._wall() - self._monotonic()
        slept_s = self._ahead_s - before
        return slept_s if slept_s > LEAST_S else 0.0


class Watch:
    """Tells the keeper what the clocks say.

    Args:
        keeper: What is served.
        asker: Asks the service after the machine has slept.
        wall: This machine's clock, in seconds since 1970.
        monotonic: Seconds that never go back.
    """

    def __init__(
        self,
        *,
        keeper: Keeper,
        asker: Asker,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keeper = keeper
        self._asker = asker
        self._monotonic = monotonic
        self._suspensions = Suspensions(wall=wall, monotonic=monotonic)
        self._wakes_at = 0.0
        self._woken = asyncio.Event()
        self.suspended_s = 0.0
        self.trouble = Trouble("the clocks")

    def wake_for_edge(self) -> None:
        """Wake up, if something comes sooner than what is waited for."""
        edge_s = self._keeper.edge_in_s
        if edge_s is not None and self._monotonic() + edge_s < self._wakes_at:
            self._woken.set()

    async def look_when_due(self) -> None:
        """Wait until something begins or ends, or for a while; look at the clocks."""
        edge_s = self._keeper.edge_in_s
        wait_s = LOOK_S if edge_s is None else min(LOOK_S, edge_s)
        if wait_s > 0:
            self._woken.clear()
            self._wakes_at = self._monotonic() + wait_s
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()
        if slept_s := self._suspensions.look():
            self._slept(slept_s)
        self._keeper.pass_edges()

    def _slept(self, seconds: float) -> None:
        self.suspended_s += seconds
        note(logging.WARNING, "the machine was suspended for %.1f s, or its clock set ahead by that", seconds)
        self._keeper.slept(seconds)
        self._asker.ask_at_once()
