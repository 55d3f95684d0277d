"""Metrics by the book: loops over all events, one definition after the other, with nothing in common with the log."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from reward_llm.domain.events import Event
from reward_llm.domain.metrics import SUCCESS_CLICKS, Metric

DAY = timedelta(days=1)
Pair = tuple[float, int]


def recomputed(
    sent: Iterable[Event],
    until: datetime,
    length: timedelta,
    segment: str | None = None,
    policy_id: str | None = None,
    scenario: str = "home_feed",
) -> dict[Metric, Pair]:
    """What each metric is a ratio or sum of: numerator (or sum) and how many there are."""
    events = list({e.event_id: e for e in sent if e.scenario == scenario}.values())

    def fits(event: Event) -> bool:
        return segment in (None, event.segment) and policy_id in (None, event.policy_id)

    inside = [e for e in events if fits(e) and until - length < e.at <= until]
    by_type: dict[str, list[Event]] = defaultdict(list)
    for event in inside:
        by_type[event.type.value].append(event)
    shown, clicks, bought = by_type["impression"], by_type["click"], by_type["purchase"]
    spend = _sum(e.cost or 0 for e in shown if e.boosted)
    slates = _slates(clicks)
    return {
        Metric.CTR: (len(clicks), len(shown)),
        Metric.CONVERSION: (len(bought), len(clicks)),
        Metric.GMV: (_sum(e.value or 0 for e in bought), len(bought)),
        Metric.DWELL: (_sum(e.value or 0 for e in by_type["view"]), len(by_type["view"])),
        Metric.INTEREST_DIVERSITY: _diversity(clicks),
        Metric.COLD_START_SHARE: (sum(bool(e.is_new) for e in shown), len(shown)),
        Metric.COLD_START_SUCCESS: _new_items(shown, clicks),
        Metric.NEXT_DAY_RETENTION: _retention(events, fits, until, length),
        Metric.NDCG: (math.fsum(map(_ndcg, slates)), len(slates)),
        Metric.MRR: (math.fsum(1 / (min(slots) + 1) for slots in slates), len(slates)),
        Metric.BOOST_SPEND: (spend, len(shown)),
        Metric.BOOST_COST: (spend, sum(bool(e.is_new) for e in by_type["complete"])),
    }


def _sum(amounts: Iterable[float]) -> float:
    return float(sum(Fraction(round(amount * 10**6), 10**6) for amount in amounts))


def _slates(clicks: Sequence[Event]) -> list[set[int]]:
    found: dict[tuple[str | None, str], set[int]] = defaultdict(set)
    for click in clicks:
        if click.request_id is not None and click.position is not None:
            found[click.user, click.request_id].add(click.position)
    return list(found.values())


def _ndcg(slots: set[int]) -> float:
    def gain(places: Iterable[int]) -> float:
        return math.fsum(1 / math.log2(place + 2) for place in places)

    return gain(slots) / gain(range(len(slots)))


def _diversity(clicks: Sequence[Event]) -> Pair:
    by_user: dict[str, Counter[str]] = defaultdict(Counter)
    for click in clicks:
        if click.category is not None:
            by_user[click.user or ""][click.category] += 1
    told = [counts for counts in by_user.values() if counts.total() >= 2]
    alike = [sum(n * (n - 1) for n in counts.values()) / (counts.total() * (counts.total() - 1)) for counts in told]
    return math.fsum(1 - share for share in alike), len(told)


def _new_items(shown: Sequence[Event], clicks: Sequence[Event]) -> Pair:
    counts = Counter(click.item for click in clicks)
    new = {event.item for event in shown if event.is_new}
    return sum(counts[item] >= SUCCESS_CLICKS for item in new), len(new)


def _retention(events: Sequence[Event], fits: Callable[[Event], bool], until: datetime, length: timedelta) -> Pair:
    sessions = [e for e in events if e.type.value == "session" and e.at <= until]
    visits = returns = 0
    for day in range(1, length // DAY + 1):
        cohort = {e.user for e in sessions if fits(e) and (until - e.at) // DAY == day}
        later = {e.user for e in sessions if (until - e.at) // DAY == day - 1}
        visits, returns = visits + len(cohort), returns + len(cohort & later)
    return returns, visits
