"""Decides how much of a user's page explores."""

# B users present, T topics

from __future__ import annotations

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray, MarketView, StepOutcome
from reward_llm.agents.learning.choices import Choices
from reward_llm.agents.learning.minds import Minds, Question
from reward_llm.agents.users.config import UserAgentConfig
from reward_llm.agents.users.observation import observed, state_of
from reward_llm.agents.users.states import UserStates

FLOOR = 0.2
"""Most exploration of a user whose state asks for none."""


def user_choices(config: UserAgentConfig) -> Choices:
    """What a user agent decides."""
    return Choices(names=("explore",), centre=(config.explore,))


class UserAgents:
    """The agents of all users of a market."""

    def __init__(self, config: UserAgentConfig, minds: Minds) -> None:
        self._config, self._minds = config, minds
        self._choices = user_choices(config)
        self.states = UserStates.start(config.state, 0)

    def begin(self, view: MarketView) -> None:
        """Start on a market."""
        self.states = UserStates.start(self._config.state, view.items.topic_IT.shape[1])
        self.states.grow(len(view.users.tenure_days_U))

    def begin_day(self, view: MarketView) -> None:
        """Let a night pass, and take up who has come."""
        self.states.sleep()
        self.states.grow(len(view.users.tenure_days_U))

    def explore(self, view: MarketView, users_B: IntArray) -> FloatArray:
        """The share of exploration in each user's page, in [0, 1]; 0 for who is protected."""
        share_B = np.zeros(len(users_B), dtype=np.float32)
        is_open_B = view.users.tenure_days_U[users_B] >= self._config.protected_days
        open_B = users_B[is_open_B]
        if not len(open_B):
            return share_B
        question = Question(
            kind="user",
            agents_B=open_B,
            observation_BO=observed(view, self.states, open_B, self._config.sequence),
            state_BS=state_of(view, self.states, open_B),
            actions=self._choices.count,
        )
        chosen_B = self._choices.of(self._minds.decide(question))["explore"]
        asked_B = FLOOR + (1 - FLOOR) * (1 - self.states.exploitation_U[open_B])
        share_B[is_open_B] = chosen_B * asked_B
        return share_B

    def observe(self, outcome: StepOutcome, topic_BN: IntArray, examination_N: FloatArray) -> None:
        """Follow what the users did."""
        self.states.observe(outcome, topic_BN, examination_N)
