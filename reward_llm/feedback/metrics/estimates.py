"""From counts to estimates with intervals.

Events of one user are alike, so an interval that takes them for independent is too narrow. Users are in G groups at
random, and the estimate is made again without each group g (the delete-a-group jackknife, Kott 2001):

    v = (G - 1) / G * sum_g (r_(g) - r)^2,       interval r ± t_(G-1) sqrt(v)

For shares, which have no such interval near 0 and 1, the variance only says how many independent events these ones
are worth, n' = r (1 - r) / v and at most n, and the interval is Wilson's (1927) for n' (Korn and Graubard 1998).

Totals of a share of users are divided by it, and so is their interval, which then holds for all users. The success of
new items is told from a share of the items, of which every click is known.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from reward_llm.domain.metrics import NOTHING, SHARES, SUCCESS_CLICKS, TOTALS, Estimate, Metric
from reward_llm.feedback.metrics.tallies import GROUPS, MILLIONTHS, GroupTally, Tally

CONFIDENCE: Final = 0.95
T_15: Final = 2.131449546
"""Student's t with GROUPS - 1 degrees of freedom, at 0.975."""
_HASH_BYTES: Final = 8

_RATIOS: Final[Mapping[Metric, Callable[[GroupTally], tuple[float, int]]]] = MappingProxyType(
    {
        Metric.CTR: lambda t: (t.clicks, t.impressions),
        Metric.CONVERSION: lambda t: (t.purchases, t.clicks),
        Metric.DWELL: lambda t: (t.dwell / MILLIONTHS, t.views),
        Metric.INTEREST_DIVERSITY: lambda t: (t.diversity, t.diverse_users),
        Metric.COLD_START_SHARE: lambda t: (t.new_impressions, t.impressions),
        Metric.NEXT_DAY_RETENTION: lambda t: (t.returns, t.visits),
        Metric.NDCG: lambda t: (t.ndcg, t.clicked_slates),
        Metric.MRR: lambda t: (t.reciprocal, t.clicked_slates),
        Metric.BOOST_COST: lambda t: (t.spend / MILLIONTHS, t.new_completions),
    }
)
"""What is divided by what."""
_TOTALS: Final[Mapping[Metric, Callable[[GroupTally], tuple[int, int]]]] = MappingProxyType(
    {Metric.GMV: lambda t: (t.gmv, t.purchases), Metric.BOOST_SPEND: lambda t: (t.spend, t.impressions)}
)
"""What is added up, in millionths, and how many it comes from."""


def group_of(name: str) -> int:
    """The group that a user or an item is in."""
    return hash_of(name) % GROUPS


def hash_of(*names: str) -> int:
    """64 bits that are spread evenly, and are the same in every process."""
    return int.from_bytes(hashlib.blake2b("\0".join(names).encode(), digest_size=_HASH_BYTES).digest(), "big")


def estimates(tally: Tally, share: float = 1.0) -> dict[Metric, Estimate]:
    """Every metric of what was counted from a share of the users and of the items."""
    return {metric: estimate(metric, tally, share) for metric in Metric}


def estimate(metric: Metric, tally: Tally, share: float = 1.0) -> Estimate:
    """A metric of what was counted from a share of the users and of the items."""
    if metric in TOTALS:
        return _total([_TOTALS[metric](t) for t in tally.groups.values()], share)
    parts = _new_items(tally) if metric is Metric.COLD_START_SUCCESS else map(_RATIOS[metric], tally.groups.values())
    return _ratio([p for p in parts if p != (0, 0)], is_share=metric in SHARES)


def _new_items(tally: Tally) -> Iterable[tuple[float, int]]:
    """How many items of each group of items were a success, and how many there are."""
    groups = [[0, 0] for _ in range(GROUPS)]
    for item, clicks in tally.new_items.items():
        group = groups[group_of(item)]
        group[0] += clicks >= SUCCESS_CLICKS
        group[1] += 1
    return ((successes, count) for successes, count in groups)


def _ratio(parts: list[tuple[float, int]], *, is_share: bool) -> Estimate:
    above, below = math.fsum(a for a, _ in parts), sum(b for _, b in parts)
    if not below:
        return NOTHING
    value = above / below
    variance = _jackknife(parts, above, below)
    if is_share and 0 <= value <= 1:
        low, high = _wilson(value, below, variance)
    elif variance is None:
        return Estimate(value=value, low=None, high=None, events=below)
    else:
        half = T_15 * math.sqrt(variance)
        low, high = max(0.0, value - half), value + half
    return Estimate(value=value, low=low, high=high, events=below)


def _jackknife(parts: list[tuple[float, int]], above: float, below: int) -> float | None:
    """The variance of the ratio, None if no interval can be told; groups without events count as any other."""
    if any(below == b for _, b in parts):
        return None
    value = above / below
    squares = math.fsum(((above - a) / (below - b) - value) ** 2 for a, b in parts)
    return (GROUPS - 1) / GROUPS * squares


def _wilson(value: float, count: int, variance: float | None) -> tuple[float, float]:
    binomial = value * (1 - value)
    worth = min(count, binomial / variance) if variance and binomial else count
    square = T_15**2
    middle = (value + square / (2 * worth)) / (1 + square / worth)
    half = T_15 / (1 + square / worth) * math.sqrt(binomial / worth + square / (4 * worth**2))
    return max(0.0, min(value, middle - half)), min(1.0, max(value, middle + half))


def _total(parts: list[tuple[int, int]], share: float) -> Estimate:
    count = sum(n for _, n in parts)
    if not count:
        return NOTHING
    total = sum(part for part, _ in parts)
    mean = total / GROUPS
    missing = GROUPS - len(parts)
    squares = math.fsum((part - mean) ** 2 for part, _ in parts) + missing * mean**2
    half = T_15 * math.sqrt(GROUPS / (GROUPS - 1) * squares)
    scale = MILLIONTHS * share
    return Estimate(
        value=total / scale, low=max(0.0, total - half) / scale, high=(total + half) / scale, events=count
    )
