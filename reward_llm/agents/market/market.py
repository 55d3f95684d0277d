"""The market: users who explore, creators who publish, and slates that whoever recommends must fill.

begin_day ──► present ──► slates for them ──► step ──► who leaves, leaves ──► present … ──► nobody ──► end_day
    │            ▲                              │                                                         │
new users,       └──────────────────────────────┘                                      who returns, outside visits,
new content                                                                            audits, the day's log
"""

# B users present, N slate, T topics

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reward_llm.agents.allocation import BoolArray, FloatArray, IntArray, MarketView, Slates, StepOutcome
from reward_llm.agents.market import outside, retention
from reward_llm.agents.market.behaviour import examination
from reward_llm.agents.market.catalogue import Catalogue
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.creators import Creators
from reward_llm.agents.market.draws import Draws, Purpose
from reward_llm.agents.market.ledger import Clicks, count_items, count_users
from reward_llm.agents.market.outcomes import DayLog, Outcomes, Tally
from reward_llm.agents.market.page import Page, Reaction, affect, click_chances, react
from reward_llm.agents.market.users import Users
from reward_llm.agents.market.view import item_facts, user_facts
from reward_llm.agents.market.warm_up import logging_slates
from reward_llm.domain.weights import Weights


class Market:
    """A market of one seed, from the first day of its warm-up to its last day.

    What users, creators and audits do is drawn by day, page, user and slot, so that policies on one seed are compared
    under common random numbers.

    Args:
        weights: What is served for the scenario; asked at every view.
    """

    def __init__(self, config: MarketConfig, *, seed: int, weights: Callable[[], Weights]) -> None:
        self.config = config
        self.draws = Draws(seed)
        self._weights = weights
        self.creators = Creators.drawn(config, self.draws.stream(Purpose.CONTENT, 0))
        self.catalogue = Catalogue.drawn(config, self.creators, self.draws.stream(Purpose.CONTENT, 1))
        items = len(self.catalogue.published_I)
        self.users = Users.drawn(config, items, self.draws.stream(Purpose.PEOPLE, 0))
        self.day = -config.scale.warm_up_days - 1
        self.step_of_day = 0
        self.days_log: list[DayLog] = []
        self._examination_N = examination(config.scale.slate, config.clicks)
        self._examination_N.flags.writeable = False
        self._waiting_B: IntArray = np.zeros(0, dtype=np.int64)
        self._visited_U: BoolArray = np.zeros(len(self.users.records.pages_U), dtype=np.bool_)
        self._clicks_UT: IntArray = np.zeros((len(self._visited_U), config.scale.topics), dtype=np.int64)
        self._tally = Tally()
        self._open_facts()

    @property
    def over(self) -> bool:
        """Whether the last day has ended."""
        return self.day >= self.config.scale.days - 1 and not len(self._waiting_B)

    @property
    def warming_up(self) -> bool:
        """Whether the logging policy still fills the slates."""
        return self.day < 0

    def begin_day(self) -> None:
        """Open the next day: new content, new users, and whoever comes."""
        before = self.users.registered(self.day)
        self.day += 1
        self.step_of_day = 0
        now = self.users.registered(self.day)
        visiting_U = self.users.minds.visiting_U
        if self.day == -self.config.scale.warm_up_days:
            chance_U = self.draws.stream(Purpose.NIGHT, self.day - 1).random(before, dtype=np.float32)
            visiting_U[:before] = chance_U < self.config.visits.opening
        visiting_U[before:now] = True
        self._visited_U[:] = visiting_U
        self._clicks_UT[:] = 0
        self._tally = Tally()
        self._open_facts()
        self.users.records.active_days_U[visiting_U] += 1
        self._next_page()

    def present(self) -> IntArray:
        """Give the users who wait for a slate; none when the day's last visit is over."""
        return self._waiting_B

    def view(self) -> MarketView:
        """Give what a recommender may see now."""
        config = self.config
        return MarketView(
            day=self.day,
            step=self.step_of_day,
            days=config.scale.days,
            weights=self._weights(),
            users=self._user_facts,
            items=self._item_facts,
            examination_N=self._examination_N,
            boost_price=config.exposure.boost_price,
            new_days=config.content.new_days,
        )

    def logging_slates(self, users_B: IntArray) -> Slates:
        """Fill slates as the warm-up's policy does: by popularity, with much chance."""
        generator = self.draws.stream(Purpose.LOGGING, self.day, self.step_of_day)
        return logging_slates(self.view(), users_B, generator)

    def step(self, slates: Slates, users_B: IntArray | None = None) -> StepOutcome:
        """Show slates to all users who wait, or to some of them, and give what came of it.

        Raises:
            AllocationInvalid: If the slates can't be shown.
        """
        whole = users_B is None
        users_B = self._waiting_B if users_B is None else users_B
        slates.check(self.view(), users_B)
        outcome = self._shown(slates, users_B)
        self._waiting_B = self._waiting_B[:0] if whole else np.setdiff1d(self._waiting_B, users_B, assume_unique=True)
        if not len(self._waiting_B):
            self.step_of_day += 1
            self._next_page()
        return outcome

    def end_day(self) -> DayLog:
        """Close the day, and decide who comes on the next."""
        visitor_U = np.flatnonzero(self._visited_U)
        minds, config = self.users.minds, self.config
        diversity_B = retention.variety(self._clicks_UT[visitor_U])
        satisfaction = float(minds.satisfaction_U[visitor_U].mean()) if len(visitor_U) else 0.0
        returned = self._night(visitor_U, diversity_B)
        outside.visit(
            self.catalogue,
            self.creators,
            day=self.day,
            config=config,
            generator=self.draws.stream(Purpose.OUTSIDE, self.day),
        )
        outside.audit(self.creators, config=config, generator=self.draws.stream(Purpose.OUTSIDE, self.day, 1))
        judged, succeeded = self._judged()
        log = DayLog(
            day=self.day,
            registered=self.users.registered(self.day),
            visitors=len(visitor_U),
            returned=returned,
            diversity=float(diversity_B.mean()) if len(visitor_U) else 0.0,
            satisfaction=satisfaction,
            judged=judged,
            succeeded=succeeded,
            **{name: getattr(self._tally, name) for name in Tally.__slots__},
        )
        if not self.warming_up:
            self.days_log.append(log)
        return log

    def outcomes(self) -> Outcomes:
        """Sum up the days that have ended, without the warm-up."""
        return Outcomes.of(self.days_log)

    def _open_facts(self) -> None:
        """Look up what is on record; pages change the arrays, and only a new day makes them longer."""
        self._user_facts = user_facts(self.users, self.day)
        self._item_facts = item_facts(self.catalogue, self.creators, self.day, self.config)

    def _next_page(self) -> None:
        minds = self.users.minds
        if self.step_of_day >= self.config.scale.pages:
            minds.visiting_U[:] = False
        self._waiting_B = np.flatnonzero(minds.visiting_U)

    def _shown(self, slates: Slates, users_B: IntArray) -> StepOutcome:
        catalogue, minds, config = self.catalogue, self.users.minds, self.config
        recent_BT = self.users.records.recent_UT[users_B]
        page = Page.of(users_B, slates.item_BN, catalogue, self.day)
        response_BNR, leave_B = self.draws.page(self.day, self.step_of_day, users_B, slots=config.scale.slate)
        chance_BN, relevance_BN = click_chances(page, minds, catalogue, recent_BT, config)
        reaction = react(page, chance_BN, relevance_BN, response_BNR, catalogue, config)
        self.users.records.recent_UT[users_B] = affect(
            page,
            reaction,
            minds,
            recent_BT=recent_BT,
            quality_BN=catalogue.quality_I[page.item_BN],
            fragile_B=self._user_facts.tenure_days_U[users_B] < config.visits.fragile_days,
            config=config,
        )
        leave_chance_B = retention.leaving(
            minds.satisfaction_U[users_B],
            minds.fatigue_U[users_B],
            minds.boredom.bored_UT[users_B].mean(1),
            config.visits,
        )
        left_B = (leave_B < leave_chance_B) | (self.step_of_day == config.scale.pages - 1)
        minds.visiting_U[users_B[left_B]] = False
        new_BN = self._item_facts.is_new_I[page.item_BN]
        outcome = self._outcome(slates, page, reaction, new_BN, left_B)
        self._tally.add(outcome, new_BN, catalogue.group_I[page.item_BN])
        clicks = Clicks.of(page, reaction)
        count_users(self.users.records, page, reaction, clicks)
        count_items(catalogue, page, clicks, day=self.day, config=config)
        np.add.at(self._clicks_UT, (clicks.user_X, clicks.category_X), 1)
        return outcome

    def _outcome(
        self, slates: Slates, page: Page, reaction: Reaction, new_BN: BoolArray, left_B: BoolArray
    ) -> StepOutcome:
        exposure = self.config.exposure
        unearned_BN = new_BN & (self.catalogue.shown_here_I[page.item_BN] < exposure.earned_impressions)
        boosted_BN = slates.boosted_BN | unearned_BN
        price_N = exposure.boost_price * self._examination_N
        cost_BN = np.where(boosted_BN, np.maximum(slates.cost_BN, price_N), 0.0).astype(np.float32)
        return StepOutcome(
            day=self.day,
            step=self.step_of_day,
            users_B=page.users_B,
            item_BN=page.item_BN,
            boosted_BN=boosted_BN,
            cost_BN=cost_BN,
            clicked_BN=reaction.clicked_BN,
            dwell_s_BN=reaction.dwell_s_BN,
            completed_BN=reaction.completed_BN,
            shared_BN=reaction.shared_BN,
            bought_BN=reaction.bought_BN,
            value_BN=reaction.value_BN,
            left_B=left_B,
        )

    def _night(self, visitor_U: IntArray, diversity_B: FloatArray) -> int:
        """Decide who comes on the next day; count the visitors of today among them."""
        minds, records, visits = self.users.minds, self.users.records, self.config.visits
        registered = self.users.registered(self.day)
        uniform_U = self.draws.stream(Purpose.NIGHT, self.day).random(len(self._visited_U), dtype=np.float32)
        chance_U = retention.reawakening(self._idle_days(), visits)
        chance_U[visitor_U] = retention.returning(
            minds.satisfaction_U[visitor_U],
            minds.fatigue_U[visitor_U],
            diversity_B,
            minds.loyalty_U[visitor_U],
            visits,
        )
        minds.visiting_U[:registered] = uniform_U[:registered] < chance_U[:registered]
        minds.fatigue_U[:] *= self.config.moods.fatigue_overnight
        records.last_day_U[visitor_U] = self.day
        return int(minds.visiting_U[visitor_U].sum())

    def _idle_days(self) -> IntArray:
        return np.maximum(self.day - self.users.records.last_day_U, 1)

    def _judged(self) -> tuple[int, int]:
        """Count the new items whose time to succeed ends today, and those that succeeded."""
        exposure = self.config.exposure
        published = self.day - exposure.success_days + 1
        if published < 0:
            return 0, 0
        of_day_I = self.catalogue.published_I == published
        done_I = self.catalogue.completed_here_I >= exposure.success_completions
        return int(of_day_I.sum()), int((of_day_I & done_I).sum())
