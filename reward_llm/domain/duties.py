"""What has to be done again and again, by one process of all that could."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Something that a worker does every so often, while it leads.

    `run` does all of it that is due; what it raises is logged, and it is run again at the next time.
    """

    name: str
    every: timedelta
    run: Callable[[], Awaitable[None]]
