"""Transactions that end by themselves, whoever stops waiting for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Beginner(Protocol):
    """Something that remembers the work that it has begun, to wait for it before it closes."""

    @property
    def begun(self) -> set[asyncio.Task[Any]]:
        """The tasks that run now."""
        ...


S = TypeVar("S", bound=Beginner)


def to_the_end(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Let the method finish even if its caller is cancelled.

    A connection that is left in the middle of its work has a thread that outlives the event loop.
    """

    @wraps(method)
    async def started(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        task = asyncio.ensure_future(method(self, *args, **kwargs))
        self.begun.add(task)
        task.add_done_callback(self.begun.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_forget)
            raise

    return started


def _forget(task: asyncio.Task[Any]) -> None:
    """Nobody waits for the outcome any more."""
    if not task.cancelled():
        task.exception()
