from __future__ import annotations

import numpy as np

from reward_llm.agents.learning.minds import Question, UntrainedMinds
from reward_llm.agents.orchestrator.marketplace import LearnedMarketplace
from reward_llm.agents.users.agent import FLOOR, UserAgents
from reward_llm.agents.users.config import UserAgentConfig
from tests.agents.markets import opened, played


class Daring:
    """Wants to explore as much as may be, and remembers whom it was asked about."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    def decide(self, question: Question) -> np.ndarray:
        self.asked.append(question)
        return np.full((len(question.agents_B), question.actions), 50.0, dtype=np.float32)


def test_nothing_is_tried_on_new_users_for_three_days() -> None:
    market, daring = opened(), Daring()
    seen = {"protected": 0, "open": 0}
    agents = UserAgents(UserAgentConfig(), daring)
    market.begin_day()
    agents.begin(market.view())
    for _ in range(7):
        view, users_B = market.view(), market.present()
        explore_B = agents.explore(view, users_B)
        is_new_B = view.users.tenure_days_U[users_B] < 3
        assert not explore_B[is_new_B].any()
        assert (explore_B[~is_new_B] >= FLOOR).all()
        seen["protected"] += int(is_new_B.sum())
        seen["open"] += int((~is_new_B).sum())
        while len(users_B := market.present()):
            market.step(market.logging_slates(users_B))
        market.end_day()
        market.begin_day()
        agents.begin_day(market.view())
    assert min(seen.values()) > 0
    asked = np.concatenate([question.agents_B for question in daring.asked])
    assert len(asked) == seen["open"]


def test_who_is_less_content_is_explored_more() -> None:
    market = opened()
    market.begin_day()
    view = market.view()
    agents = UserAgents(UserAgentConfig(), UntrainedMinds())
    agents.begin(view)
    users_B = np.flatnonzero(view.users.tenure_days_U >= 3)[:2]
    agents.states.exploitation_U[users_B] = [0.9, 0.2]
    content, discontent = agents.explore(view, users_B)
    assert 0 < content < discontent < 1


def test_observations_show_the_latest_clicks_and_keep_their_width() -> None:
    daring, market = Daring(), opened()
    played(LearnedMarketplace(minds=daring), market)
    widths = {question.observation_BO.shape[1] for question in daring.asked if question.kind == "user"}
    assert len(widths) == 1
    assert all(np.isfinite(question.observation_BO).all() for question in daring.asked)
    late = [question for question in daring.asked if question.kind == "user"][-1]
    clicks_BL = late.observation_BO[:, 9:].reshape(len(late.agents_B), 12, -1)
    has_BL = np.abs(clicks_BL).sum(-1) > 0
    assert has_BL.any()
    assert (has_BL[:, 1:] >= has_BL[:, :-1]).all()
