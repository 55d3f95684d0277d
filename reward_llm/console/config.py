"""What the pages are told of their installation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleConfig:
    """What the pages can't ask the interface for."""

    https: bool = False
    """Whether browsers reach the service over https alone, so that cookies are for that alone."""
    is_open: bool = True
    """Whether everybody is let in as whoever they say they are."""
    has_provider: bool = False
    """Whether there is an identity provider to sign in with."""
    time_zone: str = "UTC"
    """The IANA name of the time zone that moments are shown in, and read in."""
    form_limit_bytes: int = 300_000
    """The largest form that is read."""
