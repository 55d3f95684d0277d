"""The service's time, by this process's monotonic clock.

sent ───────────► as_of ──────────► received     the service's clock minus ours lies in
                                                 [as_of - received, as_of - sent]

Each answer bounds the offset between the two clocks (Cristian 1989); what several bound together is narrower, and
widens as they grow old. A service that contradicts the others is an outlier until several in a row agree with it:
then its clock was set. The wall clock of this machine counts only until a service has told the time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from reward_llm.delivery.sdk.logbook import note

PUSHED_WITHIN_S: Final = 0.25
"""How long a notice takes to arrive, at most; one that took longer is an outlier."""
DRIFT: Final = 200e-6
"""How far two clocks run apart, at most, as a share of the time that passes."""
STEP_SAMPLES: Final = 5
"""How many in a row have to agree before the service's clock counts as set."""
LARGEST_HOLD_S: Final = 5.0
"""The time stands still rather than going back, unless it would have to for longer than this."""
_READING_S: Final = 0.0005
"""What a bound is widened by on either side, for how exactly moments are written down."""
_MAX_OFFSET_S: Final = 1e11


@dataclass(frozen=True, slots=True)
class _Reading:
    """How times are converted: read at once by other threads, so never changed."""

    offset_s: float
    floor_s: float


class ServerClock:
    """What time it is at the service, in seconds since 1970.

    It never goes back, but for a step of more than `LARGEST_HOLD_S`.

    Args:
        monotonic: Seconds that never go back.
        wall: This machine's clock in seconds since 1970.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time):
        self._monotonic = monotonic
        self._wall = wall
        self._low = self._high = 0.0
        self._bounded_at: float | None = None
        self._doubts: list[tuple[float, float]] = []
        self._reading = _Reading(wall() - monotonic(), float("-inf"))

    def now(self) -> float:
        """The service's time."""
        monotonic_s, reading = self._monotonic(), self._reading
        now_s = monotonic_s + reading.offset_s
        return now_s if now_s > reading.floor_s else reading.floor_s  # noqa: FURB136 - `max` takes twice as long

    @property
    def skew_s(self) -> float | None:
        """How far the service's clock is ahead of this machine's; None as long as no service has told."""
        if self._bounded_at is None:
            return None
        return self.now() - self._wall()

    @property
    def error_s(self) -> float | None:
        """How far off the time may be at most; None as long as no service has told."""
        if self._bounded_at is None:
            return None
        monotonic_s = self._monotonic()
        low, high = self._widened(monotonic_s)
        offset_s = self.now() - monotonic_s
        return max(high - offset_s, offset_s - low)

    def told(self, as_of_s: float, *, sent: float | None, received: float) -> bool:
        """Take note of an answer; True if the time went back by that.

        Args:
            as_of_s: The service's time, between the other two.
            sent: When it was asked, by the monotonic clock; None if it spoke by itself.
            received: When it answered, by the monotonic clock.
        """
        low = as_of_s - received
        high = low + PUSHED_WITHIN_S if sent is None else as_of_s - sent
        low, high = low - _READING_S, high + _READING_S
        if abs(low) > _MAX_OFFSET_S or high < low:
            return False
        if self._bounded_at is None:
            return self._set(low, high, received, (low + high) / 2)
        known_low, known_high = self._widened(received)
        if low <= known_high and known_low <= high:
            self._doubts.clear()
            low, high = max(low, known_low), min(high, known_high)
            return self._set(low, high, received, min(max(self._reading.offset_s, low), high))
        return self._doubted(low, high, received)

    def at(self, server_s: float) -> float:
        """When the service's clock showed this, by the monotonic clock."""
        return server_s - self._reading.offset_s

    def forget(self) -> None:
        """What was told doesn't hold any more; the next answer says what time it is, and until then it goes on."""
        self._bounded_at = None
        self._doubts.clear()

    def _doubted(self, low: float, high: float, received: float) -> bool:
        self._doubts = [d for d in self._doubts if low <= d[1] and d[0] <= high]
        self._doubts.append((low, high))
        if len(self._doubts) < STEP_SAMPLES:
            return False
        low, high = max(d[0] for d in self._doubts), min(d[1] for d in self._doubts)
        self._doubts.clear()
        return self._set(low, high, received, min(max(self._reading.offset_s, low), high))

    def _set(self, low: float, high: float, received: float, offset_s: float) -> bool:
        first, step_s = self._bounded_at is None, offset_s - self._reading.offset_s
        self._low, self._high, self._bounded_at = low, high, received
        now_s = self.now()
        back = step_s < -LARGEST_HOLD_S
        if not first and abs(step_s) > LARGEST_HOLD_S:
            note(logging.WARNING, "the service's clock was set by %+.3f s", step_s)
        self._reading = _Reading(offset_s, float("-inf") if back else now_s)
        return back

    def _widened(self, at: float) -> tuple[float, float]:
        drift_s = DRIFT * max(0.0, at - (at if self._bounded_at is None else self._bounded_at))
        return self._low - drift_s, self._high + drift_s
