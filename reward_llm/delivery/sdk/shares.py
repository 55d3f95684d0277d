"""Whether a unit is in a partial rollout, as `reward_llm.domain.rollout` has it, but quicker.

A bucket is the first 48 bits of a SHA-256, and a unit is in the rollout if that is low enough. So the hash itself is
compared with the lowest one that isn't, and the hashes of units that were asked for lately are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Final

_BYTES: Final = 6
_BUCKETS: Final = 2 ** (8 * _BYTES)
_ABOVE_ALL: Final = b"\xff" * 64
KEPT_UNITS: Final = 16_384
"""How many hashes of units are kept in all, some 250 bytes each; others cost a SHA-256."""

Includes = Callable[[str], bool]


def includes(policy_id: str, percent: float) -> Includes:
    """Whether a unit is in the policy's rollout to so many percent, under 100."""
    lowest = _lowest_out(percent)
    lowest_out = lowest.to_bytes(_BYTES, "big") if lowest < _BUCKETS else _ABOVE_ALL
    return lambda unit: _hashed(policy_id, unit) < lowest_out


@lru_cache(maxsize=KEPT_UNITS)
def _hashed(policy_id: str, unit: str) -> bytes:
    """The hash, of which the first bits are the bucket."""
    return hashlib.sha256(f"{policy_id}\0{unit}".encode("utf-8", "surrogatepass")).digest()


def _lowest_out(percent: float) -> int:
    """The lowest bucket whose place in [0, 100), as a floating-point number, isn't below the percentage."""
    low, high = 0, _BUCKETS
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle * 100 / _BUCKETS < percent else (low, middle)
    return low
