"""Asks for exposure for new content, bids for it and names its audience."""

# P contents that may ask, I items

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray, MarketView
from reward_llm.agents.content.accounts import Accounts
from reward_llm.agents.content.config import ContentAgentConfig
from reward_llm.agents.learning.choices import Choices
from reward_llm.agents.learning.minds import Minds, Question

STATE: Final = 11
"""Facts of a content's state: three of exposure, three of results, three of quality, budget and age."""
_MANY: Final = 1_000.0
"""Impressions and views are counted relative to it, in logarithms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What is thought of contents: quality as a logit of a completed view."""

    mean_P: FloatArray
    deviation_P: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What contents ask for on a day."""

    item_P: IntArray
    impressions_P: FloatArray
    """Looks that each wants to pay for today."""
    bid_P: FloatArray
    """Relative to what a middling content would bid."""
    breadth_P: FloatArray
    """Share of the users that it names as its audience."""

    @classmethod
    def none(cls) -> Requests:
        """Nobody asks."""
        nothing = np.zeros(0, dtype=np.float32)
        return cls(item_P=np.zeros(0, dtype=np.int64), impressions_P=nothing, bid_P=nothing, breadth_P=nothing)


def content_choices(config: ContentAgentConfig) -> Choices:
    """What a content agent decides."""
    return Choices(names=("ask", "bid", "breadth"), centre=(config.ask, config.bid, config.breadth))


class ContentAgents:
    """The agents of all content of a market."""

    def __init__(self, config: ContentAgentConfig, minds: Minds) -> None:
        self._config, self._minds = config, minds
        self._choices = content_choices(config)
        self.accounts = Accounts.start(config.account, 1.0)

    def begin(self, view: MarketView) -> None:
        """Start on a market."""
        self.accounts = Accounts.start(self._config.account, view.boost_price)
        self.accounts.grow(view)

    def begin_day(self, view: MarketView) -> None:
        """Open accounts for what was published."""
        self.accounts.grow(view)

    def requests(self, view: MarketView, item_P: IntArray, quality: Quality) -> Requests:
        """What these contents ask for today."""
        if not len(item_P):
            return Requests.none()
        state_PS = self._states(view, item_P, quality)
        question = Question(
            kind="content",
            agents_B=item_P,
            observation_BO=state_PS,
            state_BS=state_PS,
            actions=self._choices.count,
        )
        chosen = self._choices.of(self._minds.decide(question))
        promise_P = self.click_rate(item_P) / self._config.usual_click_rate * np.exp(quality.mean_P)
        return Requests(
            item_P=item_P,
            impressions_P=chosen["ask"] * self.accounts.budget_I[item_P] / self.accounts.price,
            bid_P=((0.5 + chosen["bid"]) * promise_P).astype(np.float32),
            breadth_P=chosen["breadth"],
        )

    def click_rate(self, item_P: IntArray) -> FloatArray:
        """Clicks a look, as far as looks have shown."""
        accounts, config = self.accounts, self._config
        clicks_P = accounts.clicks_I[item_P] + config.usual_click_rate * config.usual_looks
        rate_P: FloatArray = clicks_P / (accounts.looks_I[item_P] + config.usual_looks)
        return rate_P

    def _states(self, view: MarketView, item_P: IntArray, quality: Quality) -> FloatArray:
        accounts, config = self.accounts, self._config
        columns = (
            np.log1p(accounts.impressions_I[item_P]) / np.log(_MANY),
            np.log1p(accounts.looks_I[item_P]) / np.log(_MANY),
            accounts.spent_I[item_P] / (config.account.most * accounts.price),
            self.click_rate(item_P) / config.usual_click_rate - 1,
            np.log1p(accounts.completions_I[item_P]) / np.log(_MANY),
            np.log1p(accounts.shares_I[item_P]) / np.log(_MANY),
            quality.mean_P,
            quality.deviation_P,
            view.items.preview_I[item_P] - 0.5,
            accounts.budget_I[item_P] / (config.account.most * accounts.price),
            view.items.age_days_I[item_P] / max(1, view.new_days),
        )
        return np.stack(columns, axis=1).astype(np.float32)
