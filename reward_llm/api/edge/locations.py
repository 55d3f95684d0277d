"""URLs that secrets may travel to."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from reward_llm.errors import ConfigurationInvalid


def check_reachable_safely(url: str) -> None:
    """Accept https, and http on this machine.

    Raises:
        ConfigurationInvalid: For any other URL.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise ConfigurationInvalid(f"{url!r} isn't a URL") from None
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(host))):
        raise ConfigurationInvalid(f"{url!r} is neither an https URL nor one on this machine")


def is_this_machine(host: str) -> bool:
    """Whether a host can be reached from this machine alone.

    >>> [is_this_machine(h) for h in ("localhost", "127.0.0.1", "::1", "192.168.0.7", "localhost.example.org")]
    [True, True, True, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
