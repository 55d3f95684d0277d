"""Every number that a market is made of, with its unit and where it comes from.

Origins: `SARDINE` is the scenario SlateTopK-Uncertain-v0 of Deffayet et al., "SARDINE: A Simulator for Automated
Recommendation in Dynamic and Interactive Environments" (ACM TORS 2024); `chosen` is a size or a rule of this market;
`calibrated` was set once so that a plain collaborative filter sees a market of plausible scale, before any
recommender was tuned; other origins name a module whose number it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

SARDINE: Final = "SARDINE"
CHOSEN: Final = "chosen"
CALIBRATED: Final = "calibrated"


def parameter(default: Any, unit: str, origin: str) -> Any:
    """Give a field that knows its unit and origin."""
    return field(default=default, metadata={"unit": unit, "origin": origin})


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleConfig:
    """How large a market is and how long it runs."""

    users: int = parameter(1_000, "users", CHOSEN)
    """Registered when it opens."""
    users_a_day: float = parameter(12.0, "users/day", CHOSEN)
    """Mean of those who register on each day."""
    creators: int = parameter(120, "creators", CHOSEN)
    sellers: int = parameter(40, "sellers", CHOSEN)
    groups: int = parameter(4, "groups", CHOSEN)
    """Priorities of supply groups; a seller belongs to one."""
    items: int = parameter(600, "items", "chosen; SARDINE has 1,000 for one user at a time")
    """Published before the market opens."""
    items_a_day: float = parameter(40.0, "items/day", CHOSEN)
    """Mean of those that are published on each day."""
    topics: int = parameter(10, "topics", SARDINE)
    slate: int = parameter(10, "items", SARDINE)
    """Items of a page."""
    pages: int = parameter(30, "pages", CHOSEN)
    """Pages that a visit has at most; one visit a day."""
    days: int = parameter(30, "days", CHOSEN)
    warm_up_days: int = parameter(7, "days", CHOSEN)
    """Days before the first, in which the logging policy fills the slates."""
    history: int = parameter(20, "clicks", CHOSEN)
    """Clicks that are kept of every user for recommenders to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickConfig:
    """What is looked at and clicked."""

    examination: float = parameter(0.85, "probability", SARDINE)
    """That a user who looked at a slot looks at the next one."""
    offset: float = parameter(0.65, "score", SARDINE)
    """Match of taste and topics at which relevance is one half."""
    slope: float = parameter(10.0, "1/score", SARDINE)
    crowd: int = parameter(4, "items", SARDINE)
    """Items of one topic from which on the whole page attracts less."""
    crowd_penalty: float = parameter(1.5, "divisor", "ranker.data.generator")
    attraction: float = parameter(0.9, "probability", CALIBRATED)
    """Of a click on a perfectly relevant item of middling appeal that is looked at."""
    appeal: float = parameter(1.0, "1/appeal", CHOSEN)
    """What more appeal adds to the attraction, relative to it."""
    ageing: float = parameter(0.4, "share", CHOSEN)
    """Attraction that an item loses in the end."""
    half_life_days: float = parameter(20.0, "days", CHOSEN)
    """Time in which it loses half of that."""
    repeat: float = parameter(0.1, "factor", CHOSEN)
    """What is left of the attraction of what the user has clicked before."""
    fatigue: float = parameter(0.4, "share", CHOSEN)
    """Attraction that is lost on an entirely tired user."""
    foreign: float = parameter(0.2, "score", CHOSEN)
    """What a topic not clicked lately gains on a user who is fully curious or explores all the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TasteConfig:
    """What users like, how it drifts and what bores them."""

    topics: int = parameter(4, "topics", SARDINE)
    """That a user likes on average; one more or less at most."""
    inertia: float = parameter(0.95, "share", SARDINE)
    """Omega: what is left of the old taste after a page with clicks."""
    boredom: int = parameter(5, "clicks", SARDINE)
    """Clicks on a topic among the recent ones that bore the user with it."""
    window: int = parameter(5, "pages", SARDINE)
    """Pages for which clicks are recent, and for which boredom lasts."""
    recent: int = parameter(10, "clicks", SARDINE)
    """Clicks that are recent at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoodConfig:
    """How satisfaction, curiosity and fatigue move."""

    satisfaction_rate: float = parameter(0.06, "1/page", CHOSEN)
    """Alpha of the exponentially weighted mean of experiences."""
    satisfaction_start: float = parameter(0.5, "satisfaction", CHOSEN)
    indifferent: float = parameter(-0.5, "logit", CALIBRATED)
    """Experience of a page without clicks."""
    completed: float = parameter(3.0, "logit/quality", CALIBRATED)
    """What a completed view of quality 1 adds to a page's experience."""
    abandoned: float = parameter(0.7, "logit", CALIBRATED)
    """What a click that disappoints takes from it."""
    curiosity_start: float = parameter(0.3, "curiosity", CHOSEN)
    """Also what curiosity returns to."""
    curiosity_gain: float = parameter(0.15, "share", CHOSEN)
    """Of the way to 1, for each click on a topic not clicked lately."""
    curiosity_decay: float = parameter(0.03, "1/page", CHOSEN)
    fatigue_gain: float = parameter(0.08, "share", CHOSEN)
    """Of the way to 1, for a page with three of a topic in a row."""
    fatigue_recovery: float = parameter(0.05, "1/page", CHOSEN)
    fatigue_overnight: float = parameter(0.4, "factor", CHOSEN)
    """What is left of the fatigue on the next day."""
    alike: int = parameter(3, "items", CHOSEN)
    """Items of one topic in a row that tire."""
    exploration: float = parameter(0.1, "share", CHOSEN)
    """Exploration of a user who is satisfied."""
    exploration_gain: float = parameter(1.0, "share/satisfaction", CHOSEN)
    """What each point of satisfaction below `content` adds to exploration."""
    content: float = parameter(0.5, "satisfaction", CHOSEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseConfig:
    """What follows a click."""

    completion: float = parameter(-0.3, "logit", CALIBRATED)
    """Of a completed view at middling quality and relevance."""
    completion_quality: float = parameter(4.0, "logit/quality", CHOSEN)
    completion_relevance: float = parameter(1.5, "logit/relevance", CHOSEN)
    share: float = parameter(0.15, "probability/quality", CHOSEN)
    """That a completed view of quality 1 is passed on."""
    dwell_log_s: float = parameter(4.7, "log seconds", CALIBRATED)
    """Median time on what is clicked and not completed, at middling quality."""
    dwell_quality: float = parameter(1.0, "log seconds/quality", CHOSEN)
    dwell_completed: float = parameter(0.6, "log seconds", CHOSEN)
    dwell_scale: float = parameter(0.3, "log seconds", CHOSEN)
    """Scale of the log-logistic distribution."""
    dwell_most_s: float = parameter(1_200.0, "seconds", CHOSEN)
    purchase: float = parameter(-2.8, "logit", CALIBRATED)
    """Of a purchase after a click, at middling quality, relevance and price."""
    purchase_quality: float = parameter(3.0, "logit/quality", "ranker.data.responses")
    purchase_relevance: float = parameter(1.0, "logit/relevance", CHOSEN)
    purchase_price: float = parameter(0.8, "logit/log money", "ranker.data.responses")
    middling_price_log: float = parameter(3.5, "log money", "ranker.data.responses")
    purchase_rival: float = parameter(1.5, "logit", "ranker.data.responses")
    """What a cheaper offer of the same topic on the page takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitConfig:
    """When users leave and when they return."""

    opening: float = parameter(0.3, "probability", CHOSEN)
    """That who is registered before the market opens comes on its first day."""
    leave: float = parameter(-2.5, "logit", CALIBRATED)
    """Of leaving after a page, for a user of middling satisfaction who isn't tired."""
    leave_satisfaction: float = parameter(2.5, "logit/satisfaction", CHOSEN)
    leave_fatigue: float = parameter(1.5, "logit/fatigue", CHOSEN)
    leave_bored: float = parameter(1.5, "logit/share of topics", CHOSEN)
    back: float = parameter(0.3, "logit", CALIBRATED)
    """Of returning on the next day, for a user of middling satisfaction who isn't tired."""
    back_satisfaction: float = parameter(5.0, "logit/satisfaction", CHOSEN)
    back_variety: float = parameter(0.6, "logit", "ranker.data.responses has 1.4")
    """What a day of clicks spread evenly over all topics adds."""
    back_fatigue: float = parameter(1.0, "logit/fatigue", CHOSEN)
    back_loyalty: float = parameter(0.6, "logit", CHOSEN)
    """Standard deviation between users."""
    fragile_days: int = parameter(3, "days", CHOSEN)
    """Tenure up to which a user is new, and takes experiences harder."""
    fragile: float = parameter(1.5, "factor", CHOSEN)
    """How much harder."""
    reawaken: float = parameter(0.25, "probability/day", CALIBRATED)
    """Of coming back after one missed day."""
    reawaken_days: float = parameter(14.0, "days", CHOSEN)
    """Time constant in which that fades."""
    tenure_days: float = parameter(60.0, "days", CHOSEN)
    """Mean tenure of those who are registered when the market opens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentConfig:
    """What is published."""

    skill: tuple[float, float] = parameter((4.0, 4.0), "Beta(a, b)", CHOSEN)
    """Of creators: the mean quality of what they publish."""
    quality_noise: float = parameter(0.15, "quality", CHOSEN)
    """Standard deviation between a creator's items."""
    appeal_quality: float = parameter(0.4, "appeal/quality", CHOSEN)
    """How far the look of an item follows its quality."""
    appeal_noise: float = parameter(0.2, "appeal", CHOSEN)
    preview_noise: float = parameter(0.25, "quality", CHOSEN)
    sold_share: float = parameter(0.45, "share", CHOSEN)
    """Items that have something to sell."""
    topics: tuple[int, int] = parameter((2, 3), "topics", SARDINE)
    """Fewest and most that an item is about."""
    price_quality: float = parameter(0.8, "factor/quality", "ranker.data.catalogue")
    """How much dearer better items are than middling ones."""
    price_log_mean: float = parameter(3.5, "log money", "ranker.data.catalogue")
    price_log_std: float = parameter(0.8, "log money", "ranker.data.catalogue")
    oldest_days: int = parameter(90, "days", CHOSEN)
    """Age of the oldest item when the market opens."""
    new_days: int = parameter(7, "days", CHOSEN)
    """Age up to which content counts as new."""
    outside_visits: float = parameter(1.5, "visits/day", CHOSEN)
    """Mean of a fresh item of a middling creator, from search and the creator's page."""
    outside_click_rate: float = parameter(0.3, "probability", CHOSEN)
    """That who sees it there clicks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheatConfig:
    """Creators that buy clicks for what they publish."""

    share: float = parameter(0.1, "share", CHOSEN)
    """Of the creators."""
    clicks: float = parameter(12.0, "clicks/day", CHOSEN)
    """Median that is bought for a new item."""
    clicks_log_std: float = parameter(0.6, "log clicks", CHOSEN)
    """Between creators."""
    completion: tuple[float, float] = parameter((1.0, 12.0), "Beta(a, b)", CHOSEN)
    """Of bought clicks: the share that look like completed views, by creator."""
    stay_s: float = parameter(4.0, "seconds", CHOSEN)
    """That a bought click lasts."""
    conviction: float = parameter(0.01, "1/day", CHOSEN)
    """That the platform's own audit convicts a cheating creator, who then stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureConfig:
    """What exposure costs and when new content counts as established."""

    boost_price: float = parameter(0.05, "money", CALIBRATED)
    """Of a boosted impression at a slot that everybody looks at."""
    earned_impressions: int = parameter(50, "impressions", CHOSEN)
    """Impressions up to which new content has earned nothing, so that each counts as boosted."""
    success_completions: int = parameter(8, "views", CHOSEN)
    """Completed views from slates that make new content a success."""
    success_days: int = parameter(7, "days", CHOSEN)
    """Time in which it has to reach them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketConfig:
    """A market.

    Raises:
        ValueError: If a number is out of range.
    """

    scale: ScaleConfig = field(default_factory=ScaleConfig)
    clicks: ClickConfig = field(default_factory=ClickConfig)
    tastes: TasteConfig = field(default_factory=TasteConfig)
    moods: MoodConfig = field(default_factory=MoodConfig)
    responses: ResponseConfig = field(default_factory=ResponseConfig)
    visits: VisitConfig = field(default_factory=VisitConfig)
    content: ContentConfig = field(default_factory=ContentConfig)
    cheats: CheatConfig = field(default_factory=CheatConfig)
    exposure: ExposureConfig = field(default_factory=ExposureConfig)

    def __post_init__(self) -> None:
        scale = self.scale
        counts = (scale.users, scale.creators, scale.sellers, scale.groups, scale.slate, scale.pages, scale.days)
        if min(counts) < 1 or min(scale.warm_up_days, scale.users_a_day, scale.items_a_day) < 0:
            raise ValueError(
                "users, creators, sellers, groups, slots, pages and days are at least 1, rates at least 0"
            )
        if scale.items < scale.slate:
            raise ValueError("there are fewer items than slots")
        if not 1 < self.tastes.topics < scale.topics:
            raise ValueError("a user likes more than one topic, and not all of them")
        if not (0 < self.clicks.examination <= 1 and 0 < self.clicks.attraction <= 1):
            raise ValueError("examination and attraction lie in (0, 1]")

    @classmethod
    def small(cls) -> MarketConfig:
        """Give a market that tests can run in a second."""
        scale = ScaleConfig(
            users=120,
            users_a_day=4.0,
            creators=30,
            sellers=10,
            items=150,
            items_a_day=8.0,
            pages=8,
            days=6,
            warm_up_days=2,
        )
        market = cls()
        return replace(market, scale=scale, exposure=replace(market.exposure, success_days=3))

    def parameters(self) -> Iterator[tuple[str, Any, str, str]]:
        """Give the name, value, unit and origin of every number."""
        for part in fields(self):
            values = getattr(self, part.name)
            for one in fields(values):
                meta = one.metadata
                yield f"{part.name}.{one.name}", getattr(values, one.name), meta["unit"], meta["origin"]

    def fingerprint(self) -> str:
        """Give 12 hexadecimal digits that tell markets of different numbers apart."""
        numbers = {name: value for name, value, _, _ in self.parameters()}
        return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()[:12]
