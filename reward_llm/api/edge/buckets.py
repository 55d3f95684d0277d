"""Token buckets: a limit's worth of requests at once, and then as many as flow in."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

MOST_KEYS: Final = 50_000
"""Of whom a bucket is kept. Beyond that who was quiet for longest is forgotten, whose bucket is the fullest."""
_MINUTE_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many requests a minute."""

    name: str
    per_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of asking a bucket for one request."""

    limit: Limit
    allowed: bool
    remaining: int
    wait_s: float
    """Until the next request is allowed; 0 if it is now."""
    full_in_s: float
    """Until the whole limit is there again."""


class Buckets:
    """One bucket a key, all of one limit."""

    def __init__(self, limit: Limit, most_keys: int = MOST_KEYS) -> None:
        self._limit = limit
        self._most_keys = most_keys
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now_s: float) -> Taken:
        """Take one request out of the key's bucket, if there is one in it."""
        level = self._level(key, now_s)
        allowed = level >= 1
        left = level - 1 if allowed else level
        self._keep(key, left, now_s)
        per_s = self._limit.per_minute / _MINUTE_S
        return Taken(
            limit=self._limit,
            allowed=allowed,
            remaining=int(left),
            wait_s=max(0.0, (1 - left) / per_s),
            full_in_s=(self._limit.per_minute - left) / per_s,
        )

    def __len__(self) -> int:
        return len(self._kept)

    def _level(self, key: str, now_s: float) -> float:
        whole = float(self._limit.per_minute)
        level, then_s = self._kept.get(key, (whole, now_s))
        return min(whole, level + max(0.0, now_s - then_s) * whole / _MINUTE_S)

    def _keep(self, key: str, level: float, now_s: float) -> None:
        self._kept[key] = (level, now_s)
        self._kept.move_to_end(key)
        if len(self._kept) > self._most_keys:
            self._kept.popitem(last=False)
