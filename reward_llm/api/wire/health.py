"""Whether the service lives, and how each of its parts is."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from reward_llm.api.wire.base import Outgoing


class Readiness(StrEnum):
    """How much of the service works."""

    READY = "ready"
    DEGRADED = "degraded"
    """Weights are served and goals answered as far as possible, but a part is away."""
    UNREADY = "unready"
    """What is active was never read, so not even weights can be trusted."""


class Check(Outgoing):
    """How one part is."""

    ok: bool
    detail: str


class ReadinessWire(Outgoing):
    """How the service is, part by part."""

    status: Readiness
    checks: dict[str, Check] = Field(description="By part: `store`, `model`, `board`, `feed`.")


class Liveness(Outgoing):
    """The process answers."""

    status: str = "alive"
