"""How many requests are let through, for each who asks.

    entry ─► throttle: a request out of the caller's bucket, or 429 ─► the route
    no route, or nobody known: a request out of the address's bucket of refusals, or 429 instead of 401 and 404

Buckets are kept in memory, by each process for itself.
"""

from __future__ import annotations

import ipaddress
import math
from functools import lru_cache
from typing import Final

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reward_llm.api import problems
from reward_llm.api.access.doorkeeper import principal_of
from reward_llm.api.edge.buckets import Buckets, Limit, Taken
from reward_llm.api.edge.config import EdgeConfig
from reward_llm.domain.access import Principal, PrincipalKind
from reward_llm.domain.ports import Clock
from reward_llm.errors import RateLimited

_EXEMPT: Final = frozenset({"/livez", "/readyz"})
_LOOKUPS: Final = ("/v1/weights", "/ofrep", "/v1/rerank", "/v1/agents/decision")
_REFUSED: Final = range(400, 500)
_IPV6_PREFIX: Final = 64
"""What one subscriber has; a single address says nothing."""
_ADDRESSES: Final = 4_096
"""How many addresses needn't be read again."""
Client = tuple[str, int] | None
"""Where a request comes from, as ASGI has it."""


class Throttle:
    """The buckets of one application."""

    def __init__(self, config: EdgeConfig, clock: Clock) -> None:
        self._clock = clock
        self._requests = _buckets("requests", config.requests_per_minute)
        self._lookups = _buckets("weights", config.weights_per_minute)
        counted = config.requests_per_minute is not None
        self._refusals = _buckets("refusals", config.refusals_per_minute if counted else None)

    def take(self, request: Request) -> Taken | None:
        """A request out of the caller's bucket; None where requests aren't counted."""
        if request.url.path in _EXEMPT:
            return None
        if request.url.path.startswith(_LOOKUPS):
            return self.take_lookup(principal_of(request), request.scope.get("client"))
        if self._requests is None:
            return None
        return self._requests.take(_caller(principal_of(request), request.scope.get("client")), self._now_s())

    def take_lookup(self, principal: Principal, client: Client) -> Taken | None:
        """A lookup out of the caller's bucket; None where lookups aren't counted."""
        if self._lookups is None:
            return None
        return self._lookups.take(_caller(principal, client), self._now_s())

    def take_refusal(self, request: Request) -> Taken | None:
        """A request that no route takes, out of its address's bucket; None where they aren't counted."""
        if self._refusals is None or request.url.path in _EXEMPT:
            return None
        return self._refusals.take(_address(request.scope.get("client")), self._now_s())

    def _now_s(self) -> float:
        return self._clock().timestamp()


async def throttled(request: Request) -> None:
    """Let the request through, if its caller hasn't sent too many.

    Raises:
        RateLimited: If they have.
    """
    throttle: Throttle = request.app.state.throttle
    request.state.taken = taken = throttle.take(request)
    if taken is not None and not taken.allowed:
        raise _too_many(taken)


class ThrottleHeaders:
    """Says in every answer what is left, and counts the requests that no route takes."""

    def __init__(self, app: ASGIApp, *, throttle: Throttle) -> None:
        self._app = app
        self._throttle = throttle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(Request(scope), send, self._throttle)
        await self._app(scope, receive, answer.send)
        if answer.refused:
            instead = await problems.answer_to(Request(scope), _too_many(answer.refused))
            await instead(scope, receive, answer.send_instead)


class _Answer:
    """An answer as it is sent; `refused` once it is held back because its address asked too often."""

    def __init__(self, request: Request, send: Send, throttle: Throttle) -> None:
        self._request = request
        self._send = send
        self._throttle = throttle
        self.refused: Taken | None = None

    async def send(self, message: Message) -> None:
        """Send a part, with what is left."""
        if message["type"] == "http.response.start":
            taken = self._taken(message["status"])
            _describe(message, taken)
        if self.refused is None:
            await self._send(message)

    async def send_instead(self, message: Message) -> None:
        """Send a part of what is answered instead."""
        if message["type"] == "http.response.start":
            _describe(message, self.refused)
        await self._send(message)

    def _taken(self, status: int) -> Taken | None:
        state = self._request.scope.get("state", {})
        if "taken" in state or status not in _REFUSED:
            taken: Taken | None = state.get("taken")
            return taken
        taken = self._throttle.take_refusal(self._request)
        self.refused = taken if taken and not taken.allowed else None
        return taken


def _describe(message: Message, taken: Taken | None) -> None:
    if taken is None:
        return
    headers = MutableHeaders(scope=message)
    for name, value in rate_fields(taken):
        headers[name.decode("ascii")] = value.decode("ascii")


def rate_fields(taken: Taken) -> tuple[tuple[bytes, bytes], ...]:
    """The RateLimit fields of draft-ietf-httpapi-ratelimit-headers."""
    limit = taken.limit
    policy = f'"{limit.name}";q={limit.per_minute};w=60'
    left = f'"{limit.name}";r={taken.remaining};t={math.ceil(taken.full_in_s)}'
    return ((b"ratelimit-policy", policy.encode("ascii")), (b"ratelimit", left.encode("ascii")))


def _too_many(taken: Taken) -> RateLimited:
    limit = taken.limit
    return RateLimited(
        f"more than {limit.per_minute:,} {limit.name} a minute",
        retry_after_s=taken.wait_s,
        hint="Try again after `Retry-After` seconds.",
    )


def _caller(principal: Principal, client: Client) -> str:
    if principal.kind is PrincipalKind.ANONYMOUS:
        return _address(client)
    return f"{principal.kind.value} {principal.name}"


def _address(client: Client) -> str:
    return _subscriber(client[0] if client else "")


@lru_cache(maxsize=_ADDRESSES)
def _subscriber(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address.packed, _IPV6_PREFIX), strict=False))
    return str(address)


def _buckets(name: str, per_minute: int | None) -> Buckets | None:
    return Buckets(Limit(name=name, per_minute=per_minute)) if per_minute else None
