"""What the application has let through, and for how long the lane may let it through as well.

    ticket   (path, query without unit, host, Authorization) ─► what is asked for
    pass     Authorization ─► who that is, and until when their token is taken at its word

A ticket holds as long as the pass that it was made for, which whoever shows the token renews for all tickets at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from reward_llm.domain.access import Principal
from reward_llm.domain.scenario import Scope

K = TypeVar("K")
V = TypeVar("V")

MOST_TICKETS: Final = 32_768
"""How many are kept, of which the oldest give way: some 20 MB."""
MOST_PASSES: Final = 10_000

Key = tuple[bytes, bytes, bytes, bytes | None]
"""The path and the query as they were sent, the query without a unit; Host; Authorization."""


@dataclass(frozen=True, slots=True)
class OneScope:
    """The weights of a scope."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class Everything:
    """The snapshot of these scenarios; None is for all."""

    scenarios: frozenset[str] | None


Target = OneScope | Everything


@dataclass(slots=True)
class Pass:
    """Who calls, and when that is certain: in [since, until), or always if `until` is None."""

    principal: Principal
    since: datetime
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether it is certain who calls."""
        return self.until is None or self.since <= now < self.until


@dataclass(frozen=True, slots=True)
class Ticket:
    """What was asked for, and by whom."""

    target: Target
    shown: Pass


class Memo:
    """The tickets and passes of one application."""

    def __init__(self, most_tickets: int = MOST_TICKETS, most_passes: int = MOST_PASSES) -> None:
        self._tickets = Kept[Key, Ticket](most_tickets)
        self._passes = Kept[bytes | None, Pass](most_passes)

    def find(self, key: Key, now: datetime) -> Ticket | None:
        """The ticket for the request, if there is one that holds."""
        ticket = self._tickets.get(key)
        return ticket if ticket is not None and ticket.shown.holds(now) else None

    def admit(self, key: Key, target: Target, shown: Pass) -> None:
        """Let such requests through while the pass holds."""
        known = self._passes.get(key[3])
        if known is None or known.principal != shown.principal:
            self._passes[key[3]] = known = shown
        known.since, known.until = shown.since, shown.until
        ticket = self._tickets.get(key)
        if ticket is None or ticket.shown is not known or ticket.target != target:
            self._tickets[key] = Ticket(target, known)

    def __len__(self) -> int:
        return len(self._tickets)


class Kept(dict[K, V], Generic[K, V]):
    """A dictionary of a largest size, in which the oldest gives way."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        if len(self) > self._most:
            del self[next(iter(self))]
