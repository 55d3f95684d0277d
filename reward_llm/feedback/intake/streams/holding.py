"""Telling a broker again and again that messages are being worked on, so that it gives them to nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from faststream import BaseMiddleware
from faststream.message import StreamMessage

Hold = Callable[[StreamMessage[Any]], Awaitable[object]]
"""Tells the broker that a message, or all of a batch, is still worked on."""


def holding(hold: Hold, every_s: float) -> type[BaseMiddleware[Any, Any]]:
    """A broker's middleware that does so every few seconds, as long as a handler works."""

    class Holding(BaseMiddleware[Any, Any]):
        """Holds what the handler works on."""

        async def consume_scope(self, call_next: Callable[[Any], Awaitable[Any]], msg: StreamMessage[Any]) -> Any:
            """Let the handler work."""
            again = asyncio.create_task(self._again(msg))
            try:
                return await call_next(msg)
            finally:
                again.cancel()

        async def _again(self, msg: StreamMessage[Any]) -> None:
            while True:
                await asyncio.sleep(every_s)
                with suppress(Exception):  # a broker that is away gives the messages to somebody when it is back
                    await hold(msg)

    return Holding
