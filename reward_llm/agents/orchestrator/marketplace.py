"""The three kinds of agents fill the slates of a market.

begin_day --> pool --> content agents: ask, bid, audience
slates    --> served weights --> worth of every item --> user agents: explore --> pages
                        '------> orchestrator: terms, pressure, place --> allotment --> boosts in the pages
observe   --> estimates, user states, accounts
"""

# B users present, N slate, I items, P contents of the pool, K boosted slots of a page

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from reward_llm.agents.allocation import BoolArray, FloatArray, IntArray, MarketView, Slates, StepOutcome
from reward_llm.agents.content.agent import ContentAgents, Quality, Requests
from reward_llm.agents.content.cheats import CheatDetector
from reward_llm.agents.content.config import ContentAgentConfig
from reward_llm.agents.learning.minds import Minds, UntrainedMinds
from reward_llm.agents.orchestrator.agent import LONG_TERM, MarketState, OrchestratorAgent, Stance
from reward_llm.agents.orchestrator.allotment import NONE, Ledger, allotted
from reward_llm.agents.orchestrator.config import OrchestratorConfig
from reward_llm.agents.orchestrator.estimates import Estimates
from reward_llm.agents.orchestrator.pages import Rivals, filled, with_boosts
from reward_llm.agents.orchestrator.pool import Pool, pooled
from reward_llm.agents.orchestrator.traffic import Traffic
from reward_llm.agents.orchestrator.worth import Gains, Scales, novelty, worth
from reward_llm.agents.users.agent import UserAgents
from reward_llm.agents.users.config import UserAgentConfig
from reward_llm.domain.weights import Weights

_MOST_LOSS: Final = 0.9
"""Share of its worth that an item can lose by its topic's clicks."""


class Detector(Protocol):
    """Tells which items are of creators that buy clicks."""

    def begin(self, view: MarketView) -> None:
        """Start afresh on a market."""

    def observe(self, outcome: StepOutcome) -> None:
        """Take note of a page."""

    def __call__(self, view: MarketView) -> BoolArray:
        """Whether each item is of one that was caught."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketplaceConfig:
    """The three kinds of agents."""

    users: UserAgentConfig = field(default_factory=UserAgentConfig)
    content: ContentAgentConfig = field(default_factory=ContentAgentConfig)
    orchestrator: OrchestratorConfig = field(default_factory=OrchestratorConfig)


class LearnedMarketplace:
    """A recommender made of agents.

    Args:
        minds: Decide for the agents; without any, every agent keeps to the centre of its choices.
        weights: Looks up what is served, at every page; without it, the market's own word is taken.
        detector: Who looks for bought clicks, beside the market's own audits.
    """

    def __init__(
        self,
        config: MarketplaceConfig | None = None,
        *,
        minds: Minds | None = None,
        weights: Callable[[], Weights] | None = None,
        detector: Detector | None = None,
    ) -> None:
        self._config = config or MarketplaceConfig()
        minds = minds or UntrainedMinds()
        self._weights, self._detector = weights, detector or CheatDetector()
        self.users = UserAgents(self._config.users, minds)
        self.content = ContentAgents(self._config.content, minds)
        self._orchestrator = OrchestratorAgent(self._config.orchestrator.allotment, minds)
        self._estimates = Estimates(self._config.orchestrator.estimates, 0)
        self._scales, self.ledger, self._traffic = Scales(), Ledger(), Traffic()
        self._pool = Pool(item_P=np.zeros(0, dtype=np.int64), is_first_P=np.zeros(0, dtype=np.bool_))
        self._requests, self._asked_P = Requests.none(), np.zeros(0, dtype=np.float32)
        self._caught_I: BoolArray = np.zeros(0, dtype=np.bool_)
        self._generator = np.random.default_rng(0)
        self._view: MarketView | None = None

    def begin(self, view: MarketView, generator: np.random.Generator) -> None:
        """Start afresh; only what is tried on users is left to chance."""
        self._generator = generator
        self._estimates = Estimates(self._config.orchestrator.estimates, view.items.topic_IT.shape[1])
        self._scales, self.ledger, self._traffic = Scales(), Ledger(), Traffic()
        self.users.begin(view)
        self.content.begin(view)
        self._detector.begin(view)
        self._open(view)

    def begin_day(self, view: MarketView) -> None:
        """Let a night pass; new content comes into the pool, and what is in it asks for exposure."""
        self.users.begin_day(view)
        self.content.begin_day(view)
        self._traffic.begin_day()
        self._open(view)

    def slates(self, view: MarketView, users_B: IntArray) -> Slates:
        """Fill pages by the weights that are served now, and let paid exposure into them."""
        self._view = view
        if not len(users_B):
            return Slates.plain(np.zeros((0, view.slate), dtype=np.int64))
        weights = self._weights() if self._weights else view.weights
        explore_B = self.users.explore(view, users_B)
        try_B = np.minimum(1.0, self._config.orchestrator.page.trying * explore_B)
        prospects = self._estimates.prospects(view, users_B, try_B, self._generator)
        today_BT = self._estimates.past.today_UT[users_B]
        gains = Gains.of(view, today_BT, prospects, self._need())
        worth_BI = worth(gains, self._scales, weights)
        worth_BI *= self._balance(view, today_BT, weights)
        page_BN = self._pages(view, worth_BI, weights)
        stance = self._orchestrator.stance(view, self._state(view, users_B), weights)
        item_BK = self._boosts(view, users_B, stance, gains, explore_B, page_BN)
        item_BN, is_boosted_BN = with_boosts(page_BN, item_BK, stance.place)
        self._scales.follow(gains, item_BN)
        # The market takes its price for a boosted impression; to offer more would only cost more.
        return Slates(item_BN=item_BN, boosted_BN=is_boosted_BN, cost_BN=np.zeros(item_BN.shape, dtype=np.float32))

    def observe(self, outcome: StepOutcome) -> None:
        """Learn from a page, whoever filled it."""
        view = self._view
        if view is None:
            return
        self._estimates.observe(view, outcome)
        self.users.observe(outcome, view.items.category_I[outcome.item_BN], view.examination_N)
        self.content.accounts.observe(outcome, view.examination_N)
        self._traffic.observe(outcome)
        self._detector.observe(outcome)
        self.ledger.impressions += outcome.item_BN.size
        self.ledger.boosted += int(outcome.boosted_BN.sum())

    def end_day(self, view: MarketView) -> None:
        """Look for bought clicks; who is caught loses its budget."""
        self._caught_I = self._convicted(view)
        self.content.accounts.strip(self._caught_I)

    def _open(self, view: MarketView) -> None:
        self._view = view
        self._estimates.begin_day(view)
        self._caught_I = self._convicted(view)
        self.content.accounts.strip(self._caught_I)
        mean_I, deviation_I = self._estimates.quality(view)
        quality = Quality(mean_P=mean_I, deviation_P=deviation_I)
        allotment = self._config.orchestrator.allotment
        self._pool = pooled(view, self.content.accounts, quality, self._caught_I, allotment)
        item_P = self._pool.item_P
        own = Quality(mean_P=mean_I[item_P], deviation_P=deviation_I[item_P])
        self._requests = self.content.requests(view, item_P, own) if view.day >= 0 else Requests.none()
        self._asked_P = self._requests.impressions_P.copy()

    def _convicted(self, view: MarketView) -> BoolArray:
        return view.items.caught_I | self._detector(view)

    def _need(self) -> FloatArray:
        """How much a completed view helps each item to stand on its own: more, the nearer it has come to that."""
        config = self._config.orchestrator.page
        way_I = self.content.accounts.completions_I / config.established
        need_I = config.first_need + (1 - config.first_need) * np.square(way_I)
        return np.where(way_I < 1, need_I, 0.0).astype(np.float32)

    def _balance(self, view: MarketView, today_BT: FloatArray, weights: Mapping[str, float]) -> FloatArray:
        """What is left of an item's worth to a user who has clicked much of its topic today."""
        loss = min(_MOST_LOSS, self._config.orchestrator.page.balance * weights.get("diversity", 0.0))
        left_BI: FloatArray = 1 - np.float32(loss) * (1 - novelty(today_BT, view.items.category_I))
        return left_BI

    def _pages(self, view: MarketView, worth_BI: FloatArray, weights: Mapping[str, float]) -> IntArray:
        """Pages without boosts: new content that has yet to earn impressions waits for the allotment."""
        config = self._config.orchestrator.page
        is_unknown_I = self.content.accounts.impressions_I < self._config.orchestrator.allotment.first_chance
        is_barred_I = (view.items.is_new_I & is_unknown_I) | self._caught_I
        open_BI = np.where(is_barred_I, -np.inf, worth_BI)
        rivals = Rivals(view.items.price_I > 0, min(_MOST_LOSS, config.rivalry * weights.get("gmv", 0.0)))
        behind_I = config.order * weights.get("group_order", 0.0) * view.items.group_I
        return filled(open_BI, view.items.category_I, view.slate, config, rivals, behind_I)

    def _state(self, view: MarketView, users_B: IntArray) -> MarketState:
        feeling_B4 = self.users.states.read(users_B)
        quality_I, _ = self._estimates.quality(view)
        item_P = self._pool.item_P
        return MarketState(
            present=len(users_B),
            users=len(view.users.tenure_days_U),
            pool=len(item_P),
            first_share=float(self._pool.is_first_P.mean()) if len(item_P) else 0.0,
            pool_quality=float(quality_I[item_P].mean()) if len(item_P) else 0.0,
            boosted_share=self.ledger.boosted / max(1, self.ledger.impressions),
            satisfaction=float(feeling_B4[:, 3].mean()) if len(users_B) else 0.0,
            fatigue=float(feeling_B4[:, 2].mean()) if len(users_B) else 0.0,
        )

    def _boosts(
        self,
        view: MarketView,
        users_B: IntArray,
        stance: Stance,
        gains: Gains,
        explore_B: FloatArray,
        page_BN: IntArray,
    ) -> IntArray:
        """Boosted items for every user, -1 for none; what has earned its place in the page isn't boosted there."""
        allotment, requests = self._config.orchestrator.allotment, self._requests
        if not len(requests.item_P):
            return np.full((len(users_B), 0), NONE)
        value_BP = self._values(stance, gains)
        value_BP *= requests.bid_P * (0.5 + explore_B[:, None])
        is_protected_B = view.users.tenure_days_U[users_B] < self._config.users.protected_days
        value_BP[np.ix_(is_protected_B, self._pool.is_first_P)] = -np.inf
        value_BP[~_audience(gains.by_utility["click"][:, requests.item_P], requests.breadth_P)] = -np.inf
        value_BP[(page_BN[:, :, None] == requests.item_P).any(1)] = -np.inf
        capacity_P = self._traffic.due(self._asked_P, view.step, len(users_B))
        room = self.ledger.room(len(users_B) * view.slate, stance.pressure)
        place_BK = allotted(value_BP, capacity_P, room, allotment)
        self._asked_P -= np.bincount(place_BK[place_BK != NONE], minlength=len(self._asked_P))
        return np.where(place_BK == NONE, NONE, requests.item_P[place_BK])

    def _values(self, stance: Stance, gains: Gains) -> FloatArray:
        """Match, revenue and long-term value of the pool for those present."""
        item_P, scales = self._requests.item_P, self._scales
        parts = {name: scales.scaled(gains, name)[:, item_P] for name in ("click", "gmv", *LONG_TERM)}
        long_term_BP = sum(parts[name] for name in LONG_TERM) / len(LONG_TERM)
        value_BP: FloatArray = stance.match * parts["click"] + stance.revenue * parts["gmv"]
        return value_BP + stance.long_term * long_term_BP


def _audience(match_BP: FloatArray, breadth_P: FloatArray) -> BoolArray:
    """Whether a user is among the share of those present that a content suits best."""
    count_P = np.clip(np.ceil(breadth_P * len(match_BP)), 1, len(match_BP)).astype(np.int64)
    least_P = np.take_along_axis(np.sort(match_BP, axis=0), (len(match_BP) - count_P)[None], axis=0)
    is_in_BP: BoolArray = match_BP >= least_P
    return is_in_BP
