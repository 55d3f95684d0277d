"""Limits of the wire, and how long work may take."""

from __future__ import annotations

from dataclasses import dataclass, field

from reward_llm.api.edge.config import EdgeConfig
from reward_llm.domain.access import AccessMode


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiConfig:
    """What the interface is given beside its collaborators."""

    access: AccessMode = AccessMode.OPEN
    """Whom the service lets in."""
    edge: EdgeConfig = field(default_factory=EdgeConfig)
    """What the edge lets through."""
    body_limit_bytes: int = 64_000
    """The largest body that is read."""
    rerank_limit_bytes: int = 512_000
    """The same for candidates, which may be many."""
    events_limit_bytes: int = 2_000_000
    """The same for events."""
    wait_s: float = 60.0
    """How long a submission waits for its proposal."""
    ping_s: float = 2.0
    """How long the readiness probe waits for each part."""
    sweep_s: float = 60.0
    """How often goals that were left unread are looked for."""
    evaluations: int = 1
    """How many golden sets may be read at once; goals wait for the same model."""
    grace_s: float = 10.0
    """How long goals in work may take to finish at shutdown."""
