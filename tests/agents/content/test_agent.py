from __future__ import annotations

import numpy as np

from reward_llm.agents.content.agent import ContentAgents, Quality
from reward_llm.agents.content.config import ContentAgentConfig
from reward_llm.agents.learning.minds import UntrainedMinds
from tests.agents.markets import opened


def agents() -> tuple[ContentAgents, object, np.ndarray]:
    market = opened()
    market.begin_day()
    made = ContentAgents(ContentAgentConfig(), UntrainedMinds())
    made.begin(market.view())
    return made, market.view(), np.flatnonzero(market.view().items.is_new_I)[:3]


def quality(*mean: float) -> Quality:
    return Quality(mean_P=np.array(mean, dtype=np.float32), deviation_P=np.full(len(mean), 0.5, dtype=np.float32))


def test_a_content_asks_for_what_its_budget_pays() -> None:
    made, view, item_P = agents()
    made.accounts.budget_I[item_P] = np.array([0, 10, 40]) * view.boost_price
    asked = made.requests(view, item_P, quality(0, 0, 0))
    assert asked.impressions_P.tolist() == [0, 5, 20]


def test_bids_follow_quality_and_expected_click_rate() -> None:
    made, view, item_P = agents()
    better = made.requests(view, item_P, quality(-0.5, 0.0, 0.5)).bid_P
    assert better[0] < better[1] < better[2]
    made.accounts.looks_I[item_P] = 100
    made.accounts.clicks_I[item_P] = [2, 10, 30]
    clicked = made.requests(view, item_P, quality(0, 0, 0)).bid_P
    assert clicked[0] < clicked[1] < clicked[2]


def test_nobody_asks_where_there_is_nothing_new() -> None:
    made, view, item_P = agents()
    assert not len(made.requests(view, item_P[:0], quality()).item_P)
