"""Work that several ask for at once and that is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Does its work for whoever asks; who asks while it is being done waits for the same outcome."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._work = work
        self._task: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """What came of the work; it goes on for the others when one stops waiting."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())
            self._task.add_done_callback(_forget)
        return await asyncio.shield(self._task)


def _forget(task: asyncio.Task[Any]) -> None:
    """Perhaps nobody waits for the outcome any more."""
    if not task.cancelled():
        task.exception()
