"""Who calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import structlog
from fastapi import Request

from reward_llm.domain.access import EVERYBODY, NOBODY, AccessMode, Principal, PrincipalKind
from reward_llm.errors import StoreUnavailable, Unauthenticated

WayIn = Callable[[Request], Awaitable[Principal | None]]
"""Knows who calls by one kind of credentials; None where the request has none of that kind.

Raises:
    Unauthenticated: If it has some, and they don't hold.
"""

_HINT: Final = "Send a token as `Authorization: Bearer rlm_…`; `reward-llm tokens create` makes one."
_log = structlog.get_logger(__name__)


class Doorkeeper:
    """Finds out who calls: by the first way in whose credentials a request has."""

    def __init__(
        self,
        mode: AccessMode,
        ways: Sequence[WayIn] = (),
        closers: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        self.mode = mode
        self._ways = tuple(ways)
        self._closers = tuple(closers)

    @property
    def stranger(self) -> Principal:
        """Who calls as far as nobody has asked."""
        return EVERYBODY if self.mode is AccessMode.OPEN else NOBODY

    async def principal(self, request: Request) -> Principal:
        """Who calls; everybody is let in as they are where access is open.

        Raises:
            Unauthenticated: If the request proves nothing.
            StoreUnavailable: If what it shows can't be looked up.
        """
        if self.mode is AccessMode.OPEN:
            return EVERYBODY
        with details_withheld():
            for way in self._ways:
                if found := await way(request):
                    return found
        raise Unauthenticated("who asks isn't known", hint=_HINT)

    async def aclose(self) -> None:
        """Finish what the ways in began."""
        for close in self._closers:
            await close()


@contextmanager
def details_withheld() -> Iterator[None]:
    """Tell who isn't known yet that the database is away, and the log alone what ails it.

    Raises:
        StoreUnavailable: Instead of one that says more.
    """
    try:
        yield
    except StoreUnavailable as exc:
        _log.warning("access.store_away", error=exc.message)
        raise StoreUnavailable("the database is away, so nobody knows who asks", hint="Try again.") from exc


def principal_of(request: Request) -> Principal:
    """Who calls, as it was found out; nobody if it wasn't."""
    principal: Principal = getattr(request.state, "principal", NOBODY)
    return principal


def is_unproved(principal: Principal) -> bool:
    """Whether they are let in because access is open, as whoever they say they are."""
    return principal.kind is PrincipalKind.ANONYMOUS and bool(principal.grants)
