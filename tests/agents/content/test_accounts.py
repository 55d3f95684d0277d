from __future__ import annotations

import numpy as np
import pytest

from reward_llm.agents.content.accounts import Accounts
from reward_llm.agents.content.config import AccountConfig
from tests.agents.markets import opened
from tests.agents.users.cases import outcome

LOOKS_N = np.array([1.0, 0.5, 0.5], dtype=np.float32)
PRICE = 0.01


def accounts(items: int = 4, **changes: float) -> Accounts:
    made = Accounts.start(
        AccountConfig(**{"grant": 10.0, "completion": 5.0, "share": 3.0, "most": 20.0, **changes}), PRICE
    )
    for name in ("impressions", "looks", "clicks", "completions", "shares", "budget", "spent"):
        setattr(made, f"{name}_I", np.zeros(items, dtype=np.float32))
    made.budget_I += 10 * PRICE
    return made


def boosted(**changes: object):
    values = {"boosted_BN": np.ones((1, 3), dtype=bool), "cost_BN": np.full((1, 3), PRICE, dtype=np.float32)}
    return outcome([[1, 1, 1]], **{**values, **changes})


def test_completed_views_and_shares_pay_and_clicks_do_not() -> None:
    found = accounts()
    page = boosted(completed=[[0, 1, 1]], shared_BN=np.array([[False, False, True]]))
    found.observe(page, LOOKS_N)
    assert (found.budget_I / PRICE).tolist() == pytest.approx([9, 14, 17, 10])
    assert found.clicks_I.tolist() == [1, 1, 1, 0]
    assert found.looks_I.tolist() == [1, 0.5, 0.5, 0]
    assert (found.spent_I / PRICE).tolist() == pytest.approx([1, 1, 1, 0])


def test_what_ranks_by_itself_neither_costs_nor_pays() -> None:
    found = accounts()
    found.observe(outcome([[1, 1, 1]], [[1, 1, 1]]), LOOKS_N)
    assert (found.budget_I / PRICE).tolist() == pytest.approx([10, 10, 10, 10])
    assert found.completions_I.tolist() == [1, 1, 1, 0]


def test_budgets_stay_between_nothing_and_the_most() -> None:
    found = accounts()
    for completed in ([[1, 0, 0]], [[1, 0, 0]], [[1, 0, 0]]):
        page = boosted(completed=completed, cost_BN=np.array([[0, 4, 4]], dtype=np.float32) * PRICE)
        found.observe(page, LOOKS_N)
    assert (found.budget_I / PRICE).tolist() == pytest.approx([20, 0, 0, 10])


def test_who_is_caught_loses_its_budget() -> None:
    found = accounts()
    found.strip(np.array([True, False, False, True]))
    assert (found.budget_I / PRICE).tolist() == pytest.approx([0, 10, 10, 0])


def test_new_content_alone_is_granted_a_budget() -> None:
    market = opened()
    found = Accounts.start(AccountConfig(), PRICE)
    for _ in range(4):
        market.begin_day()
        before = len(found)
        found.grow(market.view())
        fresh = found.budget_I[before:] > 0
        assert fresh.tolist() == market.view().items.is_new_I[before:].tolist()
        while len(users_B := market.present()):
            market.step(market.logging_slates(users_B))
        market.end_day()
    assert fresh.all()
    assert len(fresh)
