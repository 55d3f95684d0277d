"""How the service is, for people who look after it."""

from __future__ import annotations

from pydantic import Field

from reward_llm.api.recent_errors import RecentError
from reward_llm.api.wire.base import MomentOut, Outgoing
from reward_llm.api.wire.health import Check, Readiness
from reward_llm.domain.ports import FeedStatus
from reward_llm.domain.ports.prompts import BackendName
from reward_llm.domain.serving import Freshness


class ReadersWire(Outgoing):
    """Who reads goals."""

    backends: list[BackendName] = Field(description="Who can be asked; the first one reads goals.")
    ok: bool
    detail: str


class BoardWire(Outgoing):
    """What is served, as this process knows it."""

    revision: int = Field(description="How many changes of activations and freezes are in it.")
    age_s: float = Field(description="How long ago the database confirmed it.")
    stale: bool
    confirmed: bool = Field(description="Whether the database ever did.")

    @classmethod
    def of(cls, revision: int, freshness: Freshness) -> BoardWire:
        """The board, and how fresh it is."""
        return cls(revision=revision, age_s=freshness.age_s, stale=freshness.stale, confirmed=freshness.confirmed)


class FeedWire(Outgoing):
    """How this process hears of what others change."""

    kind: str
    connected: bool = Field(description="If not, changes are found by looking for them.")
    silent_s: float | None = Field(description="How long ago it was heard; null where there is nothing to hear.")
    detail: str

    @classmethod
    def of(cls, status: FeedStatus) -> FeedWire:
        """The feed itself."""
        return cls(kind=status.kind, connected=status.connected, silent_s=status.silent_s, detail=status.detail)


class ServiceHealthWire(Outgoing):
    """How one process of the service is."""

    version: str
    started_at: MomentOut
    as_of: MomentOut
    status: Readiness
    checks: dict[str, Check] = Field(description="By part, as `/readyz` has them.")
    readers: ReadersWire
    board: BoardWire
    feed: FeedWire
    subscribers: int = Field(description="How many follow the weights.")


class RecentErrorWire(Outgoing):
    """One answer with a status of 500 or more."""

    at: MomentOut
    method: str
    path: str
    status: int
    code: str
    detail: str
    request_id: str = Field(description="Its id in the log, and in `X-Request-ID`.")

    @classmethod
    def of(cls, error: RecentError) -> RecentErrorWire:
        """The error itself."""
        return cls.model_validate(error, from_attributes=True)
