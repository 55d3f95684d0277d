"""The schedule of one scope: which activation wins when, and which would cut into another.

base      ├───────────────────────────────────────────►  open-ended
sale              ├──────────────┤                       starts later, so it wins until it ends
served    base────┤sale──────────┤base────────────────►
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from operator import attrgetter
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from reward_llm.domain.rollout import bucket

if TYPE_CHECKING:
    from reward_llm.domain.activation import Activation

EVERYBODY: Final = 100.0
"""The percentage of what is for all units."""


class Scheduled(Protocol):
    """A policy that is in force in [start, end), for a share of the units.

    Of those that cover a moment the one with the latest `start` wins, and of those the one with the latest
    `sequence`.
    """

    __slots__ = ()

    @property
    def sequence(self) -> int:
        """Which one it is; later ones have greater numbers."""
        ...

    @property
    def policy_id(self) -> str:
        """The policy, of which each draws units of its own."""
        ...

    @property
    def percent(self) -> float:
        """The share of units that it is for, over 0 and at most 100."""
        ...

    @property
    def start(self) -> datetime:
        """When it begins."""
        ...

    @property
    def end(self) -> datetime | None:
        """When it is over, as far as is known; None while nobody has said."""
        ...

    @property
    def precedence(self) -> tuple[datetime, int]:
        """What orders those of a scope: of those that cover a moment the greatest wins."""
        return self.start, self.sequence

    @property
    def partial(self) -> bool:
        """Whether it is for some units only."""
        return self.percent < EVERYBODY

    def covers(self, moment: datetime) -> bool:
        """Whether the moment lies in [start, end)."""
        end = self.end
        return self.start <= moment and (end is None or moment < end)

    def is_over(self, moment: datetime) -> bool:
        """Whether it covers neither the moment nor any later one."""
        end = self.end
        return end is not None and (end <= moment or end <= self.start)


S = TypeVar("S", bound=Scheduled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """An activation that another one conflicts with, and when: [since, until), open-ended if `until` is None."""

    activation: Activation
    since: datetime
    until: datetime | None


def winners_first(activations: Iterable[S]) -> tuple[S, ...]:
    """Those with the greatest precedence first."""
    return tuple(sorted(activations, key=attrgetter("precedence"), reverse=True))


def includes(activation: Scheduled, unit: str | None) -> bool:
    """Whether the activation is for the unit; one that isn't for everybody is for nobody without a name."""
    if not activation.partial:
        return True
    return unit is not None and bucket(activation.policy_id, unit) < activation.percent


def stack(activations: Iterable[S], moment: datetime) -> tuple[S, ...]:
    """All that cover the moment, partial or not, the winning one first."""
    return winners_first(a for a in activations if a.covers(moment))


def winner(ordered: Iterable[S], moment: datetime, unit: str | None = None) -> S | None:
    """The activation that holds for the unit, of a scope's `winners_first`; without a unit, for everybody."""
    return next((a for a in ordered if a.covers(moment) and includes(a, unit)), None)


def takeovers(ordered: Iterable[S], holder: S | None, now: datetime, unit: str | None = None) -> Iterator[datetime]:
    """When the holder ends, and when each that takes over from it begins; the earliest is the next change.

    Args:
        ordered: A scope's `winners_first`.
        holder: The one of them that holds now, None if none does.
        now: The moment after which changes count.
        unit: Whom they are for.
    """
    if holder is not None and holder.end is not None:
        yield holder.end
    for other in takewhile(lambda a: a is not holder, ordered):
        if other.start > now and not other.is_over(now) and includes(other, unit):
            yield other.start


def live(ordered: Iterable[S], now: datetime) -> tuple[S, ...]:
    """Those of a scope's `winners_first` that may win now or later, as long as none of them is changed."""
    kept = []
    for activation in ordered:
        if activation.is_over(now):
            continue
        kept.append(activation)
        if activation.start <= now and activation.end is None and not activation.partial:
            break
    return tuple(kept)


def conflicts(planned: Activation, others: Iterable[Activation], now: datetime) -> tuple[Overlap, ...]:
    """The others that the planned one would cut into, or that would cut into it, in the order of their starts.

    Two of a scope conflict if what remains of them overlaps and the one that starts earlier has an end: its window
    would be interrupted. Under one that is open-ended, windows come and go.
    """
    cut = (o for other in others if (o := _overlap(planned, other, now)) and _first(planned, other).end is not None)
    return tuple(sorted(cut, key=lambda o: o.activation.precedence))


def _first(one: Activation, other: Activation) -> Activation:
    return min(one, other, key=attrgetter("precedence"))


def _overlap(planned: Activation, other: Activation, now: datetime) -> Overlap | None:
    if planned.is_over(now) or other.is_over(now):
        return None
    since = max(planned.start, other.start, now)
    until = min((m for m in (planned.end, other.end) if m is not None), default=None)
    return Overlap(activation=other, since=since, until=until) if until is None or since < until else None
