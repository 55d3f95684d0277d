"""Which addresses may be sent to, so that nobody reaches through this service what only it can reach.

A host is resolved, all of its addresses are checked, and one of those very addresses is connected to: a name that
points elsewhere a moment later (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import httpx

from reward_llm.errors import WebhookUrlRefused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host and port; OSError if it has none."""

MAX_URL_CHARS: Final = 2_000
_PORTS: Final = {"http": 80, "https": 443}
_MAX_PORT: Final = 65_535
_PRIVATE: Final = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
_OF_CLOUDS: Final = frozenset(
    map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254"))
)
"""Where Alibaba, Azure, AWS and Google tell machines about themselves, beside the link-local addresses."""
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


async def resolve(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as exc:
        raise OSError(f"{host!r} is no host's name") from exc
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def may_be_sent_to(address: str, *, allow_private: bool) -> bool:
    """Whether an address is one of the internet, or of one's own networks where these are allowed.

    Where clouds keep their machines' credentials, such as link-local addresses, is never sent to.

    >>> [may_be_sent_to(a, allow_private=False) for a in ("9.9.9.9", "10.0.0.1", "::ffff:10.0.0.1")]
    [True, False, False]
    >>> [may_be_sent_to(a, allow_private=True) for a in ("10.0.0.1", "127.0.0.1", "169.254.169.254")]
    [True, True, False]
    """
    ip = _plain(ipaddress.ip_address(address.partition("%")[0]))
    if ip in _OF_CLOUDS:
        return False
    return _is_public(ip) or (allow_private and (ip.is_loopback or any(ip in n for n in _PRIVATE)))


class PublicAddresses:
    """An `AddressGuard` that lets out what is sent to the internet, and only there unless `allow_private`."""

    def __init__(self, resolver: Resolver = resolve, *, allow_private: bool = False) -> None:
        self._resolve = resolver
        self._allow_private = allow_private

    async def check(self, url: str) -> None:
        """Accept a URL that may be sent to; a host that nobody knows yet is looked up when it is sent to."""
        parsed = parsed_url(url)
        try:
            await self.addresses(parsed)
        except OSError:
            return

    async def addresses(self, url: httpx.URL) -> Sequence[str]:
        """The addresses of the URL's host, each of which may be connected to.

        Raises:
            WebhookUrlRefused: If one of them mustn't be, or plain HTTP would leave this machine.
            OSError: If the host has none.
        """
        found = await self._resolve(url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme])
        if not found:
            raise OSError(f"{url.host} has no address")
        if not all(may_be_sent_to(a, allow_private=self._allow_private) for a in found):
            raise WebhookUrlRefused(
                f"{url.host} is, or is also, an address that webhooks aren't sent to",
                hint="Only public addresses are, unless REWARD_LLM_WEBHOOKS_ALLOW_PRIVATE is set.",
            )
        if url.scheme == "http" and not all(_plain(ipaddress.ip_address(a)).is_loopback for a in found):
            raise WebhookUrlRefused("plain http is for this machine alone; use https")
        return found


def parsed_url(url: str) -> httpx.URL:
    """The URL, as what sends to it understands it.

    Raises:
        WebhookUrlRefused: If it isn't one of http or https, or names a user or a fragment.
    """
    if len(url) > MAX_URL_CHARS or not url.isprintable() or not url.isascii():
        raise WebhookUrlRefused(f"a URL is up to {MAX_URL_CHARS:,} printable ASCII characters")
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as exc:
        raise WebhookUrlRefused(f"that is no URL: {exc}") from None
    if parsed.scheme not in _PORTS or not parsed.host:
        raise WebhookUrlRefused("a webhook's URL begins with https:// and a host")
    if parsed.port is not None and not 1 <= parsed.port <= _MAX_PORT:
        raise WebhookUrlRefused(f"a port is a number from 1 to {_MAX_PORT}")
    if parsed.userinfo or parsed.fragment:
        raise WebhookUrlRefused(
            "a webhook's URL names no user and no fragment", hint="The signature says who sends it."
        )
    return parsed


def _plain(ip: Address) -> Address:
    """The IPv4 address that an IPv6 one only carries, else itself."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


def _is_public(ip: Address) -> bool:
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in _GLOBAL_UNICAST or ip.teredo):
        return False
    return ip.is_global and not ip.is_multicast
