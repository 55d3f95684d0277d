from __future__ import annotations

from dataclasses import replace

import numpy as np

from reward_llm.agents.content.accounts import Accounts
from reward_llm.agents.content.agent import Quality
from reward_llm.agents.content.config import AccountConfig
from reward_llm.agents.orchestrator.config import AllotmentConfig
from reward_llm.agents.orchestrator.pool import pooled
from tests.agents.markets import opened

CONFIG = AllotmentConfig(first_chance=10, enough=5, left_out=0.2, hopeless=-0.5)


def desk(new: int = 10, age: int = 0):
    """A market's view with some items that are new, their accounts, and what is thought of all items."""
    market = opened()
    market.begin_day()
    view = market.view()
    count = len(view.items.age_days_I)
    is_new_I = np.arange(count) < new
    age_I = np.where(is_new_I, age, 60)
    preview_I = np.linspace(0, 1, count).astype(np.float32)
    items = replace(view.items, is_new_I=is_new_I, age_days_I=age_I, preview_I=preview_I)
    view = replace(view, items=items)
    accounts = Accounts.start(AccountConfig(), 0.01)
    accounts.grow(view)
    quality = Quality(mean_P=np.zeros(count), deviation_P=np.full(count, 0.1))
    return view, accounts, quality, np.zeros(count, dtype=bool)


def test_four_of_five_are_let_in_at_once_and_the_others_on_the_next_day() -> None:
    first = pooled(*desk(age=0), CONFIG)
    assert first.item_P.tolist() == list(range(2, 10))
    assert first.is_first_P.all()
    assert pooled(*desk(age=1), CONFIG).item_P.tolist() == list(range(10))


def test_after_the_first_chance_content_stays_that_can_be_good_until_it_has_enough() -> None:
    view, accounts, quality, caught_I = desk(age=1)
    accounts.impressions_I[:6] = 10
    quality.mean_P[:3] = [-0.9, -0.6, 0.0]
    accounts.completions_I[3:6] = [4, 5, 6]
    pool = pooled(view, accounts, quality, caught_I, CONFIG)
    assert pool.item_P.tolist() == [1, 2, 3, 6, 7, 8, 9]
    assert pool.is_first_P.tolist() == [False] * 3 + [True] * 4


def test_the_caught_and_the_old_are_out() -> None:
    view, accounts, quality, caught_I = desk(age=1)
    caught_I[[4, 100]] = True
    assert pooled(view, accounts, quality, caught_I, CONFIG).item_P.tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 9]
