"""The market as a PettingZoo environment: users, creators and an orchestrator act at once.

    user_u         how much of its page is to explore                                  in [0, 1]
    content_c      what the creator bids for its new content, and how much it asks     in [0, 1]²
    orchestrator   match, revenue, long-term value, and the share of boosted traffic   in [0, 1]⁴

A step is a page of all who wait. An item's score for a user is match × affinity + revenue × expected sales +
long-term value × completion + exploration × whether its topic is foreign; boosted slots go to new content by
bid × ask × affinity. Users and creators are rewarded for completed views and shares, the orchestrator by R_w of the
pages. Agents of users who aren't there see zeros, and what they do changes nothing.
"""

# B users present, C creators, I items, N slate, P boosted slots, T topics

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

from reward_llm.agents.allocation import UTILITIES, FloatArray, IntArray, MarketView, Slates, StepOutcome
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.market import Market
from reward_llm.agents.market.observation import affinity, item_features, item_width, user_features, user_width
from reward_llm.agents.market.play import turned, warm_up
from reward_llm.agents.market.reward import page_reward
from reward_llm.domain.weights import Weights

ORCHESTRATOR: Final = "orchestrator"
BOOST_CAP: Final = 0.2
"""Share of a page that may be boosted."""
MOST_BID: Final = 3.0
"""Highest bid, in units of the market's price of a boosted impression."""
_ABANDONED: Final = 0.3
"""What a click that wasn't worth it costs a user, in completed views."""
_SALES: Final = 2.0
"""Expected sales of an impression that count as 1."""
_STRANGER: Final = 0.1
"""Affinity to a user who clicked nothing alike."""
_OWN_FACTS: Final = 3

Actions = dict[str, FloatArray]
Observations = dict[str, FloatArray]


class MarketParallelEnv(ParallelEnv[str, FloatArray, FloatArray]):  # type: ignore[misc]
    """All agents of a market.

    Users are counted up to the last that registers in `config.scale.days`, on average; those beyond are served
    without an agent.
    """

    metadata: dict[str, Any] = {"name": "reward_llm_market_v0", "render_modes": []}  # noqa: RUF012 - PettingZoo's

    def __init__(self, config: MarketConfig, *, weights: Callable[[], Weights]) -> None:
        scale = config.scale
        self.config = config
        self.render_mode = None
        self._weights = weights
        self._users = scale.users + round(scale.users_a_day * (scale.days + scale.warm_up_days))
        self._creators = scale.creators
        users = [f"user_{number}" for number in range(self._users)]
        creators = [f"content_{number}" for number in range(self._creators)]
        self.possible_agents = [*users, *creators, ORCHESTRATOR]
        self.agents: list[str] = []
        of_user, of_creator, of_all = _sizes(scale.topics)
        spaces_by_kind = {
            "user": (_box(of_user), _box(1)),
            "content": (_box(of_creator), _box(2)),
            ORCHESTRATOR: (_box(of_all), _box(4)),
        }
        self.observation_spaces = {name: spaces_by_kind[kind(name)][0] for name in self.possible_agents}
        self.action_spaces = {name: spaces_by_kind[kind(name)][1] for name in self.possible_agents}
        self._market: Market | None = None
        self._generator = np.random.default_rng()

    @property
    def market(self) -> Market:
        """The market of this episode.

        Raises:
            gymnasium.error.ResetNeeded: If there is none yet.
        """
        if self._market is None:
            raise gymnasium.error.ResetNeeded("call reset() first")
        return self._market

    def observation_space(self, agent: str) -> spaces.Box:
        """Give what an agent sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Box:
        """Give what an agent does."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, dict[str, Any]]]:
        """Open a new market, past its warm-up."""
        if seed is not None:
            self._generator = np.random.default_rng(seed)
        market = Market(self.config, seed=int(self._generator.integers(2**31 - 1)), weights=self._weights)
        warm_up(market)
        turned(market)
        self._market = market
        self.agents = list(self.possible_agents)
        return self._observations(), {name: {} for name in self.agents}

    def step(
        self, actions: Actions
    ) -> tuple[Observations, dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Serve a page to all who wait."""
        market, view = self.market, self.market.view()
        users_B = market.present()
        outcome = market.step(self._slates(view, users_B, actions))
        rewards = self._rewards(view, outcome)
        more = turned(market)
        observations = self._observations()
        names = self.agents
        if not more:
            self.agents = []
        return (
            observations,
            {name: rewards.get(name, 0.0) for name in names},
            dict.fromkeys(names, False),
            dict.fromkeys(names, not more),
            {name: {} for name in names},
        )

    def render(self) -> None:
        """Give nothing: there is no picture of a market."""

    def close(self) -> None:
        """Let the market go."""
        self._market = None

    def _slates(self, view: MarketView, users_B: IntArray, actions: Actions) -> Slates:
        match, revenue, long_term, boost = _action(actions, ORCHESTRATOR, 4)
        explore_B = np.array([_action(actions, f"user_{user}", 1)[0] for user in users_B], dtype=np.float32)
        items = view.items
        liked_BI = affinity(view, users_B) @ items.topic_IT.T
        foreign_BI = (view.users.recent_UT[users_B] == 0)[:, items.category_I]
        seen_I = np.maximum(items.impressions_I, 1)
        value_I = revenue * np.minimum(items.revenue_I / seen_I / _SALES, 1) + long_term * items.completions_I / (
            items.clicks_I + 1
        )
        score_BI = match * liked_BI + value_I[None, :] + explore_B[:, None] * foreign_BI
        boosted = int(boost * BOOST_CAP * view.slate + 1e-6)
        bid_C2 = np.array(
            [_action(actions, f"content_{number}", 2) for number in range(self._creators)], dtype=np.float32
        )
        return _filled(view, score_BI, liked_BI, bid_C2[items.creator_I], boosted)

    def _rewards(self, view: MarketView, outcome: StepOutcome) -> dict[str, float]:
        page_B = page_reward(outcome, view.items, view.weights)
        abandoned_BN = outcome.clicked_BN & ~outcome.completed_BN
        joy_B = outcome.completed_BN.sum(1) - _ABANDONED * abandoned_BN.sum(1)
        liked_BN = (outcome.completed_BN.astype(np.int64) + outcome.shared_BN).ravel()
        creator_BN = view.items.creator_I[outcome.item_BN].ravel()
        liked_C = np.bincount(creator_BN, liked_BN, minlength=self._creators)
        users = {f"user_{user}": float(joy) for user, joy in zip(outcome.users_B, joy_B, strict=True)}
        creators = {f"content_{number}": float(liked) for number, liked in enumerate(liked_C)}
        return {**users, **creators, ORCHESTRATOR: float(page_B.mean())}

    def _observations(self) -> Observations:
        view, present_B = self.market.view(), self.market.present()
        of_user, of_creator, of_all = _sizes(self.config.scale.topics)
        users_UF = np.zeros((max(self._users, int(present_B.max(initial=0)) + 1), of_user), dtype=np.float32)
        users_UF[present_B] = user_features(view, present_B)
        creators_CF = _creator_features(view, self._creators, of_creator)
        whole_F = np.zeros(of_all, dtype=np.float32)
        whole_F[: len(UTILITIES)] = [view.weights.get(name, 0.0) for name in UTILITIES]
        whole_F[len(UTILITIES) :] = (
            min(1.0, view.day / view.days),
            min(1.0, view.step / self.config.scale.pages),
            len(present_B) / max(1, len(view.users.pages_U)),
        )
        users = {f"user_{number}": users_UF[number] for number in range(self._users)}
        creators = {f"content_{number}": creators_CF[number] for number in range(self._creators)}
        return {**users, **creators, ORCHESTRATOR: whole_F}


def kind(agent: str) -> str:
    """Give an agent's kind, within which parameters may be shared: `user`, `content` or `orchestrator`."""
    return agent.partition("_")[0]


def _sizes(topics: int) -> tuple[int, int, int]:
    return user_width(topics), item_width(topics) + 1, len(UTILITIES) + _OWN_FACTS


def _box(size: int) -> spaces.Box:
    return spaces.Box(0.0, 1.0, (size,), np.float32)


def _action(actions: Actions, agent: str, size: int) -> FloatArray:
    """Give an agent's action; who has no say doesn't explore, bid or ask."""
    return np.clip(np.asarray(actions.get(agent, np.zeros(size)), dtype=np.float32), 0.0, 1.0)


def _creator_features(view: MarketView, creators: int, width: int) -> FloatArray:
    """Give the mean features of each creator's new content, and how much of it there is."""
    new_X = np.flatnonzero(view.items.is_new_I)
    creator_X = view.items.creator_I[new_X]
    count_C = np.bincount(creator_X, minlength=creators)
    sum_CF = np.zeros((creators, width), dtype=np.float32)
    np.add.at(sum_CF[:, :-1], creator_X, item_features(view, new_X))
    sum_CF /= np.maximum(count_C, 1)[:, None]
    sum_CF[:, -1] = np.tanh(count_C)
    return sum_CF


def _filled(view: MarketView, score_BI: FloatArray, liked_BI: FloatArray, bid_I2: FloatArray, boosted: int) -> Slates:
    """Fill pages by score; the last `boosted` slots by auction among new content that asks."""
    asks_I = view.items.is_new_I & (bid_I2[:, 1] > 0) & ~view.items.caught_I
    earned = view.slate - min(boosted, int(asks_I.sum()))
    worth_BI = np.where(asks_I, bid_I2[:, 0] * bid_I2[:, 1] * (_STRANGER + liked_BI), -1.0)
    won_BP = np.argsort(-worth_BI, axis=1, kind="stable")[:, : view.slate - earned]
    np.put_along_axis(score_BI, won_BP, -np.inf, axis=1)
    top_BN = np.argsort(-score_BI, axis=1, kind="stable")[:, :earned]
    plain = Slates.plain(np.concatenate([top_BN, won_BP], axis=1))
    plain.boosted_BN[:, earned:] = True
    plain.cost_BN[:, earned:] = MOST_BID * view.boost_price * bid_I2[won_BP, 0] * view.examination_N[earned:]
    return plain
