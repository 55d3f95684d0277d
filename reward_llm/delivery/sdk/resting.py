"""Long work that lets others have their turn."""

from __future__ import annotations

import time
from typing import Final

_STRETCH_S: Final = 0.002
"""Seconds of work before others have their turn: a lookup may have to wait for that long."""
_REST_S: Final = 0.0002


class Rests:
    """Sleeps a little whenever work has gone on for a stretch; only one thread of Python runs at a time."""

    def __init__(self) -> None:
        self._rested_at = time.monotonic()

    def rest_if_due(self) -> None:
        """Called between small parts of the work."""
        if time.monotonic() - self._rested_at > _STRETCH_S:
            time.sleep(_REST_S)
            self._rested_at = time.monotonic()
