"""Threads that keep no program from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class DaemonThreads(ThreadPoolExecutor):
    """An event loop's executor with a daemon thread for each call.

    The usual one is waited for at the end of a program and of a loop, and looking a name up can take minutes.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call it in a thread of its own."""
        future: Future[Any] = Future()
        threading.Thread(target=_settle, args=(future, fn, args, kwargs), name="reward-llm-work", daemon=True).start()
        return future


def _settle(future: Future[Any], fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = fn(*args, **kwargs)
    except BaseException as exc:  # noqa: BLE001 - whoever waits gets it
        future.set_exception(exc)
    else:
        future.set_result(result)
