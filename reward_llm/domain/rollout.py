"""Partial rollouts: which units a policy is for.

A unit falls into one of the policy's 2**48 buckets, by a hash of both. It stays there, so raising the percentage only
adds units, and each policy draws its own.
"""

from __future__ import annotations

import hashlib
from typing import Final

_BYTES: Final = 6
_BUCKETS: Final = 2 ** (8 * _BYTES)


def bucket(policy_id: str, unit: str) -> float:
    """The unit's place in [0, 100): the first 48 bits of SHA-256 over `policy_id`, a NUL and `unit`."""
    digest = hashlib.sha256(f"{policy_id}\0{unit}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:_BYTES], "big") * 100 / _BUCKETS
