"""What a client may choose."""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import httpx

from reward_llm.delivery.sdk.change import ClientChange

_MEBIBYTE: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """How a client asks the service, what it begins with, and when it calls its weights stale.

    Raises:
        ValueError: If a number is out of range, with the field's name.
    """

    scenarios: frozenset[str] | None = None
    """The scenarios to follow; None follows all that the token may see."""
    token: str | None = field(default=None, repr=False)
    """The API token to show, if the service lets in only those who show one."""
    poll_s: float = 5.0
    """Seconds from one question to the next while the stream is down, give or take a fifth."""
    stale_after_s: float = 15.0
    """The age in seconds over which weights are stale."""
    accept_older_after_s: float = 600.0
    """Seconds of nothing but answers older than what there is, after which they are believed: the service's
    database may have been restored from a backup."""
    connect_timeout_s: float = 2.0
    """How long a connection may take to be made, in seconds."""
    read_timeout_s: float = 10.0
    """How long the service may stay silent within an answer, in seconds; the stream is held to its own heartbeats."""
    snapshot_timeout_s: float = 60.0
    """How long a whole snapshot may take, in seconds."""
    max_snapshot_bytes: int = 64 * _MEBIBYTE
    """The longest snapshot that is read."""
    bootstrap: Path | Traversable | bytes | None = field(default=None, repr=False)
    """A snapshot to begin with, as `GET /v1/weights` gives it: a file, a packaged resource, or the document."""
    cache: Path | None = None
    """A file in which the last snapshot is kept for the next start; processes may share it."""
    verify: ssl.SSLContext | bool = True
    """Whose certificates are believed; True is those that the system believes."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with every request."""
    trust_env: bool = False
    """Whether HTTP_PROXY, SSL_CERT_FILE and their like count."""
    on_change: Callable[[ClientChange], None] | None = field(default=None, repr=False)
    """Called with every change, by the thread or event loop that refreshes; it should be quick."""
    wall_clock: Callable[[], float] = field(default=time.time, repr=False)
    """This machine's clock, in seconds since 1970: it counts until a service has told the time."""

    def __post_init__(self) -> None:
        positive = ("poll_s", "stale_after_s", "connect_timeout_s", "read_timeout_s", "snapshot_timeout_s")
        for name in (*positive, "max_snapshot_bytes"):
            if not (math.isfinite(value := getattr(self, name)) and value > 0):
                raise ValueError(f"{name} must be over 0, not {value!r}")
        if not self.accept_older_after_s >= 0:
            raise ValueError(f"accept_older_after_s must be 0 or more, not {self.accept_older_after_s!r}")
        if self.scenarios is not None:
            if isinstance(self.scenarios, str):
                raise ValueError('scenarios must be a set of names, such as {"home_feed"}')
            object.__setattr__(self, "scenarios", frozenset(self.scenarios))


def checked_base_url(base_url: str) -> str:
    """The service's address without a slash at its end.

    Raises:
        ValueError: If it isn't an http or https address.
    """
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, TypeError) as exc:
        raise ValueError(f"base_url isn't an address: {exc}") from exc
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"base_url must be such as http://127.0.0.1:8300, not {base_url!r}")
    return str(url.copy_with(query=None, fragment=None)).rstrip("/")
