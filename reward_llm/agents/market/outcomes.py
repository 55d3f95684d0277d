"""What a run came to: a log of every day, and the rows that policies are compared by."""

# B users, N slate, I items

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from reward_llm.agents.allocation import BoolArray, FloatArray, IntArray, StepOutcome

ROWS: Final = (
    "new_content_ctr",
    "interest_diversity",
    "cold_start_success",
    "next_day_retention",
    "boost_cost",
    "gmv",
    "watch_time_min",
)
"""The rows of every comparison, in their order."""
LOWER_IS_BETTER: Final = frozenset({"boost_cost"})
_PER_USERS: Final = 100
_MINUTE_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLog:
    """One day of a market."""

    day: int
    registered: int
    """Users."""
    visitors: int
    """Users with a visit."""
    returned: int
    """Visitors who come on the next day, too."""
    pages: int
    impressions: int
    clicks: int
    new_impressions: int
    new_clicks: int
    new_completions: int
    """Completed views of new content, from slates."""
    boosted_impressions: int
    boost_spent: float
    """Money."""
    gmv: float
    """Money."""
    watch_s: float
    completions: int
    ordered_pairs: float
    """Share of a page's pairs of different groups that stand in the groups' order, summed over pages with any."""
    paired_pages: int
    """Pages with items of different groups."""
    diversity: float
    """Mean over visitors of the entropy of their clicks over topics, in [0, 1]."""
    satisfaction: float
    """Mean over visitors at the end of the day, in [0, 1]."""
    judged: int
    """New items whose time to succeed ended with this day."""
    succeeded: int
    """Those of them that succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """The outcome of a run; NaN where there was nothing to measure."""

    new_content_ctr: float
    """Clicks on new content per impression of it, in slates."""
    interest_diversity: float
    """Mean over days and visitors of the entropy of the day's clicks over topics, in [0, 1]."""
    cold_start_success: float
    """Share of the new items that had enough completed views from slates in time."""
    next_day_retention: float
    """Share of a day's visitors who come on the next one."""
    boost_cost: float
    """Money spent on boosted impressions for each completed view of new content."""
    gmv: float
    """Money of all purchases, a day and 100 registered users."""
    watch_time_min: float
    """Minutes that a visitor spends a day."""
    ctr: float
    satisfaction: float
    """Mean over days and visitors."""
    completions: float
    """Completed views a visitor and day."""
    group_order: float
    """Share of pairs of different groups that stand in order."""
    new_share: float
    """Impressions of new content among all."""
    boosted_share: float
    """Boosted impressions among all."""

    @classmethod
    def of(cls, days: Sequence[DayLog]) -> Outcomes:
        """Sum a run's days up."""
        total = {one.name: math.fsum(getattr(day, one.name) for day in days) for one in fields(DayLog)}
        visitors = total["visitors"]
        return cls(
            new_content_ctr=_ratio(total["new_clicks"], total["new_impressions"]),
            interest_diversity=_ratio(math.fsum(day.diversity * day.visitors for day in days), visitors),
            cold_start_success=_ratio(total["succeeded"], total["judged"]),
            next_day_retention=_ratio(total["returned"], visitors),
            boost_cost=_ratio(total["boost_spent"], total["new_completions"]),
            gmv=_ratio(_PER_USERS * total["gmv"], total["registered"]),
            watch_time_min=_ratio(total["watch_s"] / _MINUTE_S, visitors),
            ctr=_ratio(total["clicks"], total["impressions"]),
            satisfaction=_ratio(math.fsum(day.satisfaction * day.visitors for day in days), visitors),
            completions=_ratio(total["completions"], visitors),
            group_order=_ratio(total["ordered_pairs"], total["paired_pages"]),
            new_share=_ratio(total["new_impressions"], total["impressions"]),
            boosted_share=_ratio(total["boosted_impressions"], total["impressions"]),
        )


@dataclass(slots=True, kw_only=True)
class Tally:
    """A day's sums while it goes on."""

    pages: int = 0
    impressions: int = 0
    clicks: int = 0
    new_impressions: int = 0
    new_clicks: int = 0
    new_completions: int = 0
    boosted_impressions: int = 0
    boost_spent: float = 0.0
    gmv: float = 0.0
    watch_s: float = 0.0
    completions: int = 0
    ordered_pairs: float = 0.0
    paired_pages: int = 0

    def add(self, outcome: StepOutcome, new_BN: BoolArray, group_BN: IntArray) -> None:
        """Add a page of many users."""
        self.pages += len(outcome.users_B)
        self.impressions += outcome.item_BN.size
        self.clicks += int(outcome.clicked_BN.sum())
        self.new_impressions += int(new_BN.sum())
        self.new_clicks += int((outcome.clicked_BN & new_BN).sum())
        self.new_completions += int((outcome.completed_BN & new_BN).sum())
        self.boosted_impressions += int(outcome.boosted_BN.sum())
        self.boost_spent += float(outcome.cost_BN.sum())
        self.gmv += float(outcome.value_BN.sum())
        self.watch_s += float(outcome.dwell_s_BN.sum())
        self.completions += int(outcome.completed_BN.sum())
        ordered_B = ordered_share(group_BN)
        told_B = ~np.isnan(ordered_B)
        self.ordered_pairs += float(ordered_B[told_B].sum())
        self.paired_pages += int(told_B.sum())


def ordered_share(group_BN: IntArray) -> FloatArray:
    """Give the share of pairs of different groups that stand in the groups' order; NaN where all are of one.

    >>> ordered_share(np.array([[0, 1, 2], [2, 1, 0], [0, 0, 0]])).tolist()
    [1.0, 0.0, nan]
    """
    groups = int(group_BN.max(initial=0)) + 1
    rows, slots = group_BN.shape
    above_BG = np.zeros((rows, groups), dtype=np.int64)
    right_B, wrong_B = np.zeros(rows), np.zeros(rows)
    row = np.arange(rows)
    for slot in range(slots):
        group_B = group_BN[:, slot]
        sums_BG = above_BG.cumsum(1)
        up_to_B = sums_BG[row, group_B]
        right_B += up_to_B - above_BG[row, group_B]
        wrong_B += slot - up_to_B
        above_BG[row, group_B] += 1
    pairs_B = right_B + wrong_B
    share_B: FloatArray = np.divide(right_B, pairs_B, out=np.full(rows, np.nan), where=pairs_B > 0)
    return share_B


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
