"""How a client is."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

Source = Literal["server", "cache", "bootstrap"]
"""Where what is served was last confirmed by or taken from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHealth:
    """How a client is, at a moment."""

    running: bool
    """Whether it refreshes in this process."""
    ready: bool
    """Whether there are weights to serve, however old."""
    stale: bool
    """Whether they may be outdated."""
    age_s: float
    """Seconds since the service's database last confirmed them; inf if nobody knows."""
    source: Source | None
    """Who says what is served: a service that was asked by this process, or a file from before."""
    revision: int | None
    """How many changes the service had counted."""
    scopes: int
    """How many scenarios and segments there are weights for."""
    streaming: bool
    """Whether the service tells of changes by itself."""
    last_error: str | None
    """What is in the way now; None if nothing is."""
    notes: tuple[str, ...]
    """What of the files it began with couldn't be used, and why."""
    clock_skew_s: float | None
    """How far the service's clock is ahead of this machine's."""
    clock_error_s: float | None
    """How far off that may be."""
    suspended_s: float = 0.0
    """For how many seconds this machine was suspended meanwhile, or by how many its clock was set ahead."""
    carried: int = 0
    """Changes that came with their notice, so that nobody had to ask for them."""
    refused_older: int
    """Answers that were older than what was known."""
    refused_invalid: int
    """Answers that weren't snapshots or notices."""
    unknown_scenarios: int
    """Lookups of scenarios that there aren't."""
    unknown_segments: int
    """Lookups of segments that there aren't, which were given the scenario's weights."""
    misuses: int
    """Lookups with arguments that aren't strings."""

    def as_dict(self) -> dict[str, object]:
        """The same for JSON; an age that nobody knows is None."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return values | {
            "age_s": None if math.isinf(self.age_s) else round(self.age_s, 3),
            "notes": list(self.notes),
        }
