"""What the stream tells: which snapshot holds now, and of what is in it no more than a small change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reward_llm.delivery.sdk.carried import Carried
from reward_llm.delivery.sdk.errors import SnapshotInvalid
from reward_llm.delivery.sdk.reading import DocumentReader
from reward_llm.delivery.sdk.snapshot import count, moment, seconds

KINDS: Final = frozenset({"heartbeat", "changed"})
_BEATS_S: Final = (0.05, 300.0)
"""What a service may say of how often it speaks; anything else is taken for the nearest of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The snapshot's entity tag and revision, and the service's own view of its age; the next comes in `every_s`.

    `carried` is what makes that snapshot of the one before, if the service has sent it along.
    """

    revision: int
    etag: str
    as_of: datetime
    stale: bool
    age_s: float
    every_s: float
    carried: Carried | None = None


def read_notice(data: str) -> Notice:
    """The notice that an event carries.

    Raises:
        SnapshotInvalid: If it isn't one.
    """
    try:
        reader = DocumentReader(data)
        fields = reader.fields()
    except (ValueError, RecursionError) as exc:
        raise SnapshotInvalid(f"an event isn't JSON: {exc}") from exc
    etag, stale = fields.get("etag"), fields.get("stale")
    if not isinstance(etag, str) or not etag or not isinstance(stale, bool):
        raise SnapshotInvalid("an event must have an etag, and stale as true or false")
    since = fields.get("from")
    shortest_s, longest_s = _BEATS_S
    return Notice(
        revision=count(fields, "revision"),
        etag=etag,
        as_of=moment(fields, "as_of"),
        stale=stale,
        age_s=seconds(fields, "age_s"),
        every_s=min(max(seconds(fields, "every_s"), shortest_s), longest_s),
        carried=Carried(since=since, documents=tuple(reader.items)) if since and isinstance(since, str) else None,
    )
