"""What came of served weights: metrics of events over a time that slides along with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from reward_llm.domain.scenario import Scope
from reward_llm.errors import WindowInvalid

SHORTEST: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(days=30)
DAY: Final = timedelta(days=1)
SUCCESS_CLICKS: Final = 5
"""How many clicks make a new item's first days a success."""
_HINT: Final = "Use 1m to 30d, such as 15m or 7d."
_WINDOW: Final = re.compile(r"([1-9]\d{0,5})(m|h|d)")
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": DAY}


class Metric(StrEnum):
    """What is measured."""

    CTR = "ctr"
    """Clicks for each impression."""
    CONVERSION = "conversion"
    """Purchases for each click."""
    GMV = "gmv"
    """Money of all purchases."""
    DWELL = "dwell"
    """Seconds of each view."""
    INTEREST_DIVERSITY = "interest_diversity"
    """Mean over users of the probability that two of their clicks are on different categories (Simpson 1949)."""
    COLD_START_SHARE = "cold_start_share"
    """Impressions of new items among all."""
    COLD_START_SUCCESS = "cold_start_success"
    """Of the items that were shown as new, those with `SUCCESS_CLICKS` clicks."""
    NEXT_DAY_RETENTION = "next_day_retention"
    """Of the users with a session on a day, those with one on the next; needs a window of a day."""
    NDCG = "ndcg"
    """Mean over the slates with a click, which is a gain of 1 where it is (Järvelin and Kekäläinen 2002)."""
    MRR = "mrr"
    """Mean over the slates with a click of 1 / the place of the first one."""
    BOOST_SPEND = "boost_spend"
    """Money that creators paid for boosted impressions."""
    BOOST_COST = "boost_cost"
    """That money for each completed view of a new item."""


TOTALS: Final = frozenset({Metric.GMV, Metric.BOOST_SPEND})
"""Metrics that add up; the others are means and shares."""
SHARES: Final = frozenset({Metric.CTR, Metric.COLD_START_SHARE, Metric.COLD_START_SUCCESS, Metric.NEXT_DAY_RETENTION})
"""Metrics that count some out of all; a CTR over 1 is possible where clicks come without impressions."""


@dataclass(frozen=True, slots=True)
class MetricWindow:
    """How far back a metric looks: from one minute to thirty days.

    Raises:
        WindowInvalid: If it is shorter or longer.
    """

    length: timedelta

    def __post_init__(self) -> None:
        if not SHORTEST <= self.length <= LONGEST:
            raise WindowInvalid(f"a window of {self.length} is none of ours", hint=_HINT)

    @classmethod
    def parse(cls, text: str) -> MetricWindow:
        """The window that is written so.

        >>> MetricWindow.parse("15m").length
        datetime.timedelta(seconds=900)

        Raises:
            WindowInvalid: If it isn't a number of minutes, hours or days, or is shorter or longer than windows are.
        """
        found = _WINDOW.fullmatch(text)
        if found is None:
            raise WindowInvalid(f"{text!r} isn't a window", hint=_HINT)
        return cls(int(found[1]) * _UNITS[found[2]])

    def __str__(self) -> str:
        for letter in "dhm":
            number, rest = divmod(self.length, _UNITS[letter])
            if not rest:
                return f"{number}{letter}"
        return f"{self.length.total_seconds():g}s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A metric as far as events tell it, with its interval; None where there was nothing to tell it by.

    `events` is how many events or units it is the mean, share or sum of, as they were counted.
    """

    value: float | None
    low: float | None
    high: float | None
    events: int


NOTHING: Final = Estimate(value=None, low=None, high=None, events=0)
"""What no event tells of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsReport:
    """All metrics of a scope, or of one policy in it, over a window that ends at `until`.

    `share` is how much of all users they are estimated from, and `newest` the time of the scenario's last event.
    """

    scope: Scope
    policy_id: str | None
    window: MetricWindow
    until: datetime
    estimates: Mapping[Metric, Estimate]
    confidence: float
    share: float = 1.0
    newest: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "estimates", MappingProxyType(dict(self.estimates)))
