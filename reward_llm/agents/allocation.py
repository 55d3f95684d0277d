"""What whoever fills the slates of a market is asked, is shown and is told.

A `Recommender` is shown a `MarketView`, answers with `Slates`, and is told the `StepOutcome`. The market's agents,
the baselines and the live path all meet here; none of them sees a market's hidden side: tastes, quality, who cheats.

Days below 0 are the warm-up: another policy fills the slates, and the recommender only observes.
"""

# B users present, N slate, U users registered, I items published, T topics, H items of history

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from reward_llm.domain.weights import Weights
from reward_llm.errors import AllocationInvalid

UTILITIES: Final = ("click", "gmv", "satisfaction", "retention", "diversity", "cold_start", "group_order")
"""The utilities whose weights a market's recommenders understand."""
NO_ITEM: Final = -1
"""Fills a history that is shorter than H."""

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFacts:
    """What is on record of every registered user, by number."""

    tenure_days_U: IntArray
    """Days since the user came for the first time."""
    active_days_U: IntArray
    """Days with a visit."""
    pages_U: IntArray
    """Slates seen."""
    recent_UT: FloatArray
    """Topics of the last clicks, each in [0, 1]; at 1 the user is about to tire of the topic."""
    shown_UT: FloatArray
    """Impressions by main topic."""
    clicked_UT: FloatArray
    """Clicks by main topic."""
    completed_UT: FloatArray
    """Completed views by main topic."""
    dwell_s_U: FloatArray
    """Seconds spent so far."""
    spent_U: FloatArray
    """Money spent so far."""
    history_UH: IntArray
    """The last items clicked, oldest first, `NO_ITEM` in front of them."""
    depth_UH: IntArray
    """How far each went: 0 nothing there, 1 clicked, 2 completed, 3 shared, 4 bought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFacts:
    """What is on record of every published item, by number; counts include traffic from outside the slates."""

    age_days_I: IntArray
    """Days since it was published."""
    is_new_I: BoolArray
    """Whether it counts as new content."""
    creator_I: IntArray
    seller_I: IntArray
    """Whom the creator sells for."""
    group_I: IntArray
    """The seller's priority among supply groups, 0 first."""
    category_I: IntArray
    """The main topic."""
    topic_IT: FloatArray
    """What it is about, of length 1."""
    price_I: FloatArray
    """Money; 0 where nothing is sold."""
    preview_I: FloatArray
    """A first look at the quality, in [0, 1], with much noise."""
    impressions_I: FloatArray
    clicks_I: FloatArray
    completions_I: FloatArray
    shares_I: FloatArray
    purchases_I: FloatArray
    revenue_I: FloatArray
    """Money that it has sold for."""
    dwell_s_I: FloatArray
    """Seconds that were spent on it."""
    caught_I: BoolArray
    """Whether its creator was convicted of buying clicks, by an audit that isn't the recommender's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketView:
    """All that a recommender may know at a decision; its arrays are read-only and change as the market goes on."""

    day: int
    """From 0 on; below 0 in the warm-up."""
    step: int
    """Page of the day, from 0 on."""
    days: int
    """Days of the whole run, without the warm-up."""
    weights: Weights
    """What is served for the scenario now."""
    users: UserFacts
    items: ItemFacts
    examination_N: FloatArray
    """Probability that a slot is looked at, by the position-based click model."""
    boost_price: float
    """Money that a boosted impression costs at least, at a slot that everybody looks at."""
    new_days: int
    """Age in days up to which content counts as new."""

    @property
    def slate(self) -> int:
        """N, the items of a slate."""
        return len(self.examination_N)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slates:
    """A slate for each user present, in the users' order."""

    item_BN: IntArray
    """Item numbers, no item twice in a slate."""
    boosted_BN: BoolArray
    """Impressions that were given, not earned by rank."""
    cost_BN: FloatArray
    """Money offered for a boosted impression, 0 elsewhere; the market takes its price where that is higher."""

    @classmethod
    def plain(cls, item_BN: IntArray) -> Slates:
        """Give slates in which nothing is boosted."""
        return cls(
            item_BN=np.asarray(item_BN, dtype=np.int64),
            boosted_BN=np.zeros(item_BN.shape, dtype=np.bool_),
            cost_BN=np.zeros(item_BN.shape, dtype=np.float32),
        )

    def check(self, view: MarketView, users_B: IntArray) -> None:
        """Check them against the users that they are for.

        Raises:
            AllocationInvalid: If a shape is wrong, an item isn't published or stands twice in a slate, or a cost is
                negative or not finite.
        """
        shape = (len(users_B), view.slate)
        for array in (self.item_BN, self.boosted_BN, self.cost_BN):
            if array.shape != shape:
                raise AllocationInvalid(
                    f"slates of shape {array.shape} for {shape[0]} users and {shape[1]} slots",
                    hint="Give a row for each user present and a column for each slot.",
                )
        published = len(view.items.age_days_I)
        if self.item_BN.size and not (self.item_BN.min() >= 0 and self.item_BN.max() < published):
            raise AllocationInvalid(
                "a slate has an item that isn't published", hint=f"Items are numbered 0 to {published - 1} now."
            )
        ordered_BN = np.sort(self.item_BN, axis=1)
        if (ordered_BN[:, 1:] == ordered_BN[:, :-1]).any():
            raise AllocationInvalid("an item stands twice in a slate", hint="Show each item once.")
        if not (np.isfinite(self.cost_BN).all() and (self.cost_BN >= 0).all()):
            raise AllocationInvalid("a cost is negative or not finite", hint="Offer 0 or more for an impression.")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """What the users did with their slates."""

    day: int
    step: int
    users_B: IntArray
    item_BN: IntArray
    boosted_BN: BoolArray
    """Boosted impressions: the declared ones, and those of new content that has earned nothing yet."""
    cost_BN: FloatArray
    """Money that was taken for each."""
    clicked_BN: BoolArray
    dwell_s_BN: FloatArray
    """Seconds on what was clicked."""
    completed_BN: BoolArray
    shared_BN: BoolArray
    bought_BN: BoolArray
    value_BN: FloatArray
    """Money of the purchases."""
    left_B: BoolArray
    """Who ended the visit after this page."""


class Recommender(Protocol):
    """Fills the slates of a market."""

    def begin(self, view: MarketView, generator: np.random.Generator) -> None:
        """Start afresh on a market, with a source of randomness of its own."""

    def begin_day(self, view: MarketView) -> None:
        """Take note of a new day, with its new content and new users."""

    def slates(self, view: MarketView, users_B: IntArray) -> Slates:
        """Fill a slate for each of these users."""

    def observe(self, outcome: StepOutcome) -> None:
        """Learn what came of slates: its own, or in the warm-up another policy's."""

    def end_day(self, view: MarketView) -> None:
        """Close the day, after the last visit."""


def locked(facts: UserFacts | ItemFacts) -> None:
    """Make the arrays of these facts read-only."""
    for field in fields(facts):
        getattr(facts, field.name).flags.writeable = False
