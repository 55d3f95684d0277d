"""What the edge lets through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from reward_llm.api.edge.locations import is_this_machine

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeConfig:
    """Limits on requests, and who may send them from a browser."""

    public_url: str = "http://127.0.0.1:8300"
    """Where browsers find the service; behind https, answers say so and cookies are for https alone."""
    hosts: frozenset[str] | None = None
    """The names that the service answers to; None for any."""
    cors_origins: tuple[str, ...] = ()
    """Other sites whose pages may call the service, with tokens and without cookies."""
    requests_per_minute: int | None = None
    """For each token, person or address; None for any number."""
    weights_per_minute: int | None = None
    """The same for looking weights up."""
    refusals_per_minute: int = 60
    """How many requests of an address that no route takes, because nobody knows who asks or what for; counted where
    `requests_per_minute` is."""
    header_limit_bytes: int = 16_384
    """The address and all header fields together."""
    body_cap_bytes: int = 1_000_000
    """The largest body, whether a route reads it or not; most routes read less."""
    body_timeout_s: float = 20.0
    """How long a body may take to arrive."""

    @property
    def https(self) -> bool:
        """Whether browsers reach the service over https."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def netloc(self) -> str:
        """The service's host and port, as browsers name it."""
        return urlsplit(self.public_url).netloc


def own_hosts(listens_on: str, *urls: str) -> frozenset[str] | None:
    """The names of a service that listens on loopback; None for any, if it listens elsewhere.

    >>> sorted(own_hosts("127.0.0.1", "http://feed.test:8300"))
    ['127.0.0.1', '::1', 'feed.test', 'localhost']
    """
    if not is_this_machine(listens_on):
        return None
    return _LOOPBACK | {listens_on} | {host for url in urls if (host := urlsplit(url).hostname)}
