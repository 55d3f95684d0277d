"""How sure a client is of a snapshot."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Standing:
    """When a snapshot was last known to be what the service's database says.

    One is shared by all weights of a snapshot, so that confirming them is setting a few numbers. Once another
    snapshot is taken over nobody confirms this one any more, and weights that somebody kept grow old.

    Args:
        revision: The snapshot's.
        confirmed_at: By the monotonic clock; -inf if nobody knows when.
        confirmed: Whether a service has said so to this process.
        service_stale: Whether the service called it stale itself.
        stale_after_s: The age over which it is stale.
        monotonic: Seconds that never go back.
    """

    __slots__ = ("_monotonic", "_stale_after_s", "confirmed", "confirmed_at", "revision", "service_stale")

    def __init__(
        self,
        *,
        revision: int,
        confirmed_at: float,
        confirmed: bool,
        service_stale: bool,
        stale_after_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.revision = revision
        self.confirmed_at = confirmed_at
        self.confirmed = confirmed
        self.service_stale = service_stale
        self._stale_after_s = stale_after_s
        self._monotonic = monotonic

    @property
    def age_s(self) -> float:
        """Seconds since the database confirmed it; inf if nobody knows."""
        return max(0.0, self._monotonic() - self.confirmed_at)

    @property
    def stale(self) -> bool:
        """Whether it may be outdated."""
        return not self.confirmed or self.service_stale or self.age_s > self._stale_after_s

    def confirm(self, *, revision: int, confirmed_at: float, service_stale: bool) -> None:
        """A service has said it anew; what is known of its age never gets worse by that."""
        self.confirmed_at = max(self.confirmed_at, confirmed_at)
        self.revision = max(self.revision, revision)
        self.service_stale = service_stale
        self.confirmed = True


UNKNOWN_AGE = -math.inf
"""The `confirmed_at` of what nobody knows the age of."""
