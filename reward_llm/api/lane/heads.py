"""Whole heads of requests that were read before, so that the same bytes needn't be read again.

A head is everything from `GET` to the blank line. One that asks for a unit is kept without it, in two parts, and
stands for the heads of all units whose names need no decoding.
"""

from __future__ import annotations

import re
from typing import Final

from reward_llm.api.lane.memo import Kept
from reward_llm.api.lane.request import Asked

MOST_HEADS: Final = 8_192
"""How many are kept, of which the oldest give way: 16 MB at most."""
MOST_BYTES: Final = 2_048
"""Of a head that is kept."""
_END: Final = b"\r\n\r\n"
_UNIT: Final = b"unit="
_WITH_UNIT: Final = re.compile(rb"(GET /v1/weights[^ ?]*\?(?:[^ &]*&)*?unit=)([A-Za-z0-9_.~-]{1,200})(?=[& ])")


class Heads:
    """What heads ask for, by their bytes."""

    def __init__(self, limit_bytes: int, most: int = MOST_HEADS) -> None:
        self._limit_bytes = min(limit_bytes, MOST_BYTES)
        self._whole = Kept[bytes, Asked](most)
        self._parted = Kept[tuple[bytes, bytes], Asked](most)

    def find(self, head: bytes) -> Asked | None:
        """What the bytes ask for, if they are a head that was read before, but perhaps for its unit."""
        asked = self._whole.get(head)
        if asked is not None or not self._parted or len(head) > self._limit_bytes:
            return asked
        found = _WITH_UNIT.match(head)
        if found is None:
            return None
        asked = self._parted.get((found[1], head[found.end() :]))
        if asked is None:
            return None
        return Asked(asked.key, found[2].decode("ascii"), asked.if_none_match, asked.at_least, asked.forwarded)

    def keep(self, head: bytes, asked: Asked) -> None:
        """Remember what a head asks for; the bytes are that head and nothing else."""
        if len(head) > self._limit_bytes or not head.endswith(_END):
            return
        if asked.unit is None:
            self._whole[head] = asked
            return
        found = _WITH_UNIT.match(head)
        if found is not None and found[2].decode("ascii") == asked.unit and head.count(_UNIT) == 1:
            self._parted[found[1], head[found.end() :]] = asked

    def __len__(self) -> int:
        return len(self._whole) + len(self._parted)
