"""What the live agents are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class MoodConfig:
    """How events change a user's mood; rates are the share of the way that one event goes, in [0, 1]."""

    first_satisfaction: float = 0.5
    """Of somebody of whom nothing is known."""
    first_curiosity: float = 0.5
    satisfaction_rate: float = 0.1
    """Of the exponentially weighted mean of rewards: S ← S + a (r − S)."""
    content_view_s: float = 30.0
    """The dwell time that is a reward of 1; shorter ones are in proportion."""
    curiosity_rate: float = 0.1
    """Towards 1 with a click in a category that wasn't among the last clicks: C ← C + b (1 − C)."""
    habit_rate: float = 0.02
    """Towards 0 with every other click: C ← (1 − c) C."""
    alike_in_a_row: int = 3
    """From how many impressions of one category on they tire."""
    fatigue_rate: float = 0.1
    """Towards 1 with each such impression: F ← F + g (1 − F)."""
    relief_rate: float = 0.05
    """Towards 0 with every other impression: F ← (1 − h) F."""
    rest_rate: float = 0.5
    """Towards 0 with the start of a session."""
    affinity_rate: float = 0.05
    """Of the exponentially weighted shares of categories in what a user rewards."""
    remembered_clicks: int = 50
    """How many clicks a user's behaviour sequence holds."""
    novelty_clicks: int = 20
    """Among how many of the last clicks a category counts as known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateConfig:
    """How the state of a user is kept."""

    mood: MoodConfig = field(default_factory=MoodConfig)
    lateness_s: float = 600.0
    """How much later than a user's newest event an earlier one may come and still count, in the order in which the
    events happened; also for how long duplicates are told by their ids, after which they are too late anyway."""
    max_recent: int = 2_000
    """How many events of a user are held back for that; more settle earlier."""
    kept_s: int = 90 * _DAY_S
    """How long a user or an item is remembered after its last event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionConfig:
    """How the agents decide."""

    protected_s: float = 3 * _DAY_S
    """How long nothing is tried out on a new user."""
    least_exploring: float = 0.05
    """The probability of exploring for a satisfied user."""
    most_exploring: float = 0.5
    """The same for a curious one who isn't satisfied at all."""
    expected_ctr: float = 0.05
    """Of an item of which nothing is known; `ctr_trust` impressions weigh as much as this."""
    ctr_trust: float = 20.0
    expected_finish: float = 0.3
    """Completions and shares a click, the same way."""
    finish_trust: float = 10.0
    expected_buying: float = 0.02
    """Purchases a click, the same way."""
    buying_trust: float = 50.0
    new_s: float = 7 * _DAY_S
    """How long after it was published an item is new."""
    first_chance: int = 20
    """Impressions that every new item is given a chance to get before its quality counts."""
    pool_quantile: float = 0.5
    """New items that had their chance stay in the pool while their quality is at least this quantile of it."""
    boosted_share: float = 0.2
    """The share of slots that may be boosted, over any run of decisions."""
    most_credit: float = 5.0
    """Slots that weren't boosted are made up for up to this number."""
    grant: float = 5.0
    """What a new item may spend before it has earned anything, in money."""
    earned: float = 0.5
    """What each completion and share adds to that."""
    highest_bid: float = 0.5
    """For one impression, in money."""
    cheat_clicks: int = 30
    """From how many clicks on their results are looked at."""
    cheat_finish: float = 0.05
    """Fewer completions and shares a click than this look bought: the item's budget is lost."""
