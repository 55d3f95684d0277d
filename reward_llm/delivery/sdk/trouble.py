"""What is in the way of one thing that is tried again and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from reward_llm.delivery.sdk.logbook import note

_REST_S: Final = 1.0


class Trouble:
    """Logged when it begins and when it is over, not each time in between."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.error: str | None = None

    def began(self, error: str) -> None:
        """It failed."""
        if self.error is None:
            note(logging.WARNING, "%s: %s", self._what, error)
        self.error = error

    def over(self) -> None:
        """It works."""
        if self.error is not None:
            note(logging.INFO, "%s: works again", self._what)
        self.error = None


async def forever(work: Callable[[], Awaitable[None]], trouble: Trouble) -> None:
    """Do it again and again until cancelled; what nobody foresaw doesn't end it."""
    while True:
        try:
            await work()
        except Exception as exc:  # noqa: BLE001 - a client that stops looking would serve old weights for ever
            if trouble.error is None:
                note(logging.ERROR, "refreshing failed in a way that wasn't foreseen; it goes on", exc_info=True)
            trouble.began(f"{type(exc).__name__}: {exc}")
            await asyncio.sleep(_REST_S)
