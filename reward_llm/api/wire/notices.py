"""Notices as they are sent."""

from __future__ import annotations

from pydantic import Field

from reward_llm.api.wire.base import MomentOut, Outgoing
from reward_llm.domain.notices import WeightsNotice


class NoticeWire(Outgoing):
    """Which weights hold."""

    revision: int = Field(description="How many changes of activations and freezes are in them, or fewer.")
    etag: str = Field(description="The entity tag of the snapshot of the same scenarios, without quotes.")
    as_of: MomentOut
    stale: bool = Field(description="Whether the database last confirmed this too long ago.")
    age_s: float = Field(description="Seconds since the database last confirmed this.")
    every_s: float = Field(description="The longest time to the next notice, in seconds.")

    @classmethod
    def of(cls, notice: WeightsNotice) -> NoticeWire:
        """The notice itself."""
        return cls(
            revision=notice.revision,
            etag=notice.etag,
            as_of=notice.as_of,
            stale=notice.freshness.stale,
            age_s=notice.freshness.age_s,
            every_s=notice.every_s,
        )
