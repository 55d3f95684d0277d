"""What those who follow the weights are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reward_llm.domain.serving import Freshness


class NoticeKind(StrEnum):
    """Why a notice is sent: because other weights hold now, or because nothing was said for a while."""

    CHANGED = "changed"
    HEARTBEAT = "heartbeat"


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedChange:
    """What a snapshot has in place of what the one with the entity tag `since` had.

    `items` are the scopes that differ, encoded, in the snapshot's order and as they stand in a JSON array.
    """

    since: str
    items: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightsNotice:
    """Which weights hold, for those who may see the same of them: one and the same object for all of them.

    `etag` is the entity tag of the snapshot that they would be given. `revision` counts the changes that are in it,
    or fewer. `every_s` is the longest time in seconds to the next notice. `change` is what makes that snapshot of the
    one that was told of before, where that is little.
    """

    revision: int
    etag: str
    as_of: datetime
    freshness: Freshness
    every_s: float
    change: CarriedChange | None = None
