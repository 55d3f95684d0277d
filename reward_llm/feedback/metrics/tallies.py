"""What is counted of a window: sums that merge exactly, whichever events were counted where.

Users are spread over `GROUPS` groups by a hash, and everything is summed for each. All events of a user are in one
partition of the log and in one group, so sums over users, slates and sessions add up; items are met by users of all
partitions, so their clicks are kept by item. Money and seconds are whole millionths, which add up in any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import reduce
from typing import Final

GROUPS: Final = 16
"""Of users: as many as the intervals' degrees of freedom, and one more."""
MILLIONTHS: Final = 1_000_000


@dataclass(slots=True, kw_only=True)
class GroupTally:
    """What the users of a group did; `ndcg`, `reciprocal` and `diversity` are sums over their slates and users."""

    impressions: int = 0
    clicks: int = 0
    purchases: int = 0
    gmv: int = 0
    """In millionths, as `dwell` and `spend` are."""
    views: int = 0
    dwell: int = 0
    new_impressions: int = 0
    new_completions: int = 0
    spend: int = 0
    clicked_slates: int = 0
    ndcg: float = 0.0
    reciprocal: float = 0.0
    diverse_users: int = 0
    """Users with two clicks, whose diversity can be told."""
    diversity: float = 0.0
    visits: int = 0
    """Users with a session on a day of which the next one is over."""
    returns: int = 0

    def __add__(self, other: GroupTally) -> GroupTally:
        """Both together."""
        return GroupTally(**{name: getattr(self, name) + getattr(other, name) for name in COUNTED})


COUNTED: Final = tuple(f.name for f in fields(GroupTally))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What is counted of a window, by group of users, and the clicks of each item that was shown as new."""

    groups: Mapping[int, GroupTally] = field(default_factory=dict)
    new_items: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        """Both together, for partitions that have no user in common."""
        groups = dict(self.groups)
        for number, tally in other.groups.items():
            groups[number] = groups[number] + tally if number in groups else tally
        clicks = Counter(self.new_items)
        clicks.update(other.new_items)
        return Tally(groups=groups, new_items=dict(clicks))


def merged(tallies: Iterable[Tally]) -> Tally:
    """All of them together."""
    return reduce(Tally.__add__, tallies, Tally())
