"""How much of a quota is due by when: a profile of the day, integrated over time.

due(t) = ∫ p over [since, t] / ∫ p over [since, until],   p(t) = the profile's share of the hour that t lies in
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

HOURS: Final = 24
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The traffic of each hour of the day relative to the others, in a time zone; all hours alike without any.

    >>> start = datetime(2026, 6, 18, tzinfo=UTC)
    >>> Profile().share(start, start + timedelta(hours=6), start + timedelta(days=1))
    0.25

    Raises:
        ValueError: If there aren't 24 finite numbers of at least 0, not all of them 0, or the zone is none.
    """

    hours: tuple[float, ...] = ()
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        if self.hours and len(self.hours) != HOURS:
            raise ValueError(f"{len(self.hours)} hours; a profile has {HOURS}")
        if self.hours and not (all(math.isfinite(h) and h >= 0 for h in self.hours) and any(self.hours)):
            raise ValueError("hours must be finite and not negative, and not all 0")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise ValueError(f"{self.time_zone!r} isn't a time zone") from exc

    def share(self, since: datetime, moment: datetime, until: datetime) -> float:
        """How much of what lies from since to until has gone by at the moment, in [0, 1].

        Where all of it lies in hours of 0, time alone counts.
        """
        whole = self._traffic(since, until)
        if whole > 0:
            return min(1.0, self._traffic(since, moment) / whole)
        length = (until - since).total_seconds()
        return min(1.0, (moment - since).total_seconds() / length) if length > 0 else 1.0

    def _traffic(self, since: datetime, until: datetime) -> float:
        """The profile's integral, in its own unit times hours."""
        if not self.hours:
            return (until - since) / _HOUR
        total, moment = 0.0, since.astimezone(UTC)
        end = until.astimezone(UTC)
        while moment < end:
            local = moment.astimezone(self._zone)
            past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            following = min(end, moment + (_HOUR - past))
            total += self.hours[local.hour] * ((following - moment) / _HOUR)
            moment = following
        return total

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
