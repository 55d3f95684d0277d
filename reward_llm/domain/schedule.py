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

from reward_llm.domain.activation import Activation
from reward_llm.domain.rollout import bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """An activation that another one conflicts with, and when: [since, until), open-ended if `until` is None."""

    activation: Activation
    since: datetime
    until: datetime | None


def winners_first(activations: Iterable[Activation]) -> tuple[Activation, ...]:
    """Those with the greatest precedence first."""
    return tuple(sorted(activations, key=attrgetter("precedence"), reverse=True))


def includes(activation: Activation, unit: str | None) -> bool:
    """Whether the activation is for the unit; one that isn't for everybody is for nobody without a name."""
    if not activation.partial:
        return True
    return unit is not None and bucket(activation.policy.policy_id, unit) < activation.percent


def stack(activations: Iterable[Activation], moment: datetime) -> tuple[Activation, ...]:
    """All that cover the moment, partial or not, the winning one first."""
    return winners_first(a for a in activations if a.covers(moment))


def winner(ordered: Iterable[Activation], moment: datetime, unit: str | None = None) -> Activation | None:
    """The activation that holds for the unit, of a scope's `winners_first`; without a unit, for everybody."""
    return next((a for a in ordered if a.covers(moment) and includes(a, unit)), None)


def takeovers(
    ordered: Iterable[Activation], holder: Activation | None, now: datetime, unit: str | None = None
) -> Iterator[datetime]:
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


def live(ordered: Iterable[Activation], now: datetime) -> tuple[Activation, ...]:
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
