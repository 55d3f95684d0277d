"""How users feel, as far as their clicks tell.

With y the share of what was looked at that was completed, as `pleased` measures it, after every page:

    satisfaction <- m satisfaction + (1 - m) y
    curiosity    <- k curiosity + g [a topic was clicked that is novel to the user]
    fatigue      <- f fatigue + h [the last three clicks are on one topic]
    exploitation <- exploitation + s (aim - exploitation)
    aim = 1 - urge max(0, low - satisfaction) - stray curiosity - fatigue / 2

so that exploration, 1 - exploitation, grows where satisfaction is low.
"""

# B users present, N slate, U users registered, T topics

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray, StepOutcome
from reward_llm.agents.users.config import UserStateConfig

UNKNOWN: Final = -1
"""In the place of a topic."""


@dataclass(slots=True, kw_only=True)
class UserStates:
    """The states of all users, by number; grows as they come."""

    config: UserStateConfig
    satisfaction_U: FloatArray
    curiosity_U: FloatArray
    fatigue_U: FloatArray
    exploitation_U: FloatArray
    clicked_UT: FloatArray
    last_U: IntArray
    """Topic of the last click."""
    run_U: IntArray
    """Clicks in a row on it."""

    @classmethod
    def start(cls, config: UserStateConfig, topics: int) -> UserStates:
        """Nobody yet."""
        none, nothing = np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64)
        return cls(
            config=config,
            **{name: none.copy() for name in ("satisfaction_U", "curiosity_U", "fatigue_U", "exploitation_U")},
            clicked_UT=np.zeros((0, topics), dtype=np.float32),
            last_U=nothing,
            run_U=nothing.copy(),
        )

    def __len__(self) -> int:
        return len(self.last_U)

    def grow(self, users: int) -> None:
        """Make room for users who have come since: content enough, neither curious nor tired."""
        start = {"satisfaction_U": 0.5, "exploitation_U": 1.0, "last_U": UNKNOWN}
        for field in fields(self)[1:]:
            held = getattr(self, field.name)
            fresh = np.full((users - len(held), *held.shape[1:]), start.get(field.name, 0), dtype=held.dtype)
            setattr(self, field.name, np.concatenate([held, fresh]))

    def sleep(self) -> None:
        """A night passes."""
        self.fatigue_U *= self.config.rest

    def read(self, users_B: IntArray) -> FloatArray:
        """Exploitation, curiosity, fatigue and satisfaction of some users, a row each."""
        columns = (self.exploitation_U, self.curiosity_U, self.fatigue_U, self.satisfaction_U)
        return np.stack([column[users_B] for column in columns], axis=1)

    def observe(self, outcome: StepOutcome, topic_BN: IntArray, examination_N: FloatArray) -> None:
        """Follow what users did with a page; `topic_BN` is the main topic of each item."""
        config, users_B = self.config, outcome.users_B
        share_B = (outcome.completed_BN.sum(1) / examination_N.sum()).astype(np.float32)
        pleasure_B = np.minimum(1.0, share_B / config.pleased)
        novel_B, tired_B = self._follow_clicks(users_B, topic_BN, outcome.clicked_BN)
        satisfaction_B = config.memory * self.satisfaction_U[users_B] + (1 - config.memory) * pleasure_B
        curiosity_B = config.curiosity_keep * self.curiosity_U[users_B] + config.curiosity_gain * novel_B
        fatigue_B = config.fatigue_keep * self.fatigue_U[users_B] + config.fatigue_gain * tired_B
        self.satisfaction_U[users_B] = satisfaction_B
        self.curiosity_U[users_B] = curiosity_B = np.minimum(1.0, curiosity_B)
        self.fatigue_U[users_B] = fatigue_B = np.minimum(1.0, fatigue_B)
        lack_B = np.maximum(0.0, config.low - satisfaction_B)
        aim_B = np.clip(1 - config.urge * lack_B - config.stray * curiosity_B - fatigue_B / 2, 0.0, 1.0)
        self.exploitation_U[users_B] += config.settle * (aim_B - self.exploitation_U[users_B])

    def _follow_clicks(
        self, users_B: IntArray, topic_BN: IntArray, clicked_BN: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Whether a click was on a novel topic, and whether a run of clicks on one topic tired; slot by slot."""
        novel_B, tired_B = np.zeros(len(users_B), dtype=bool), np.zeros(len(users_B), dtype=bool)
        for topic_B, clicked_B in zip(topic_BN.T, clicked_BN.T, strict=True):
            who, topic = users_B[clicked_B], topic_B[clicked_B]
            total = self.clicked_UT[who].sum(1)
            novel_B[clicked_B] |= self.clicked_UT[who, topic] < self.config.novel * total
            self.clicked_UT[who, topic] += 1
            self.run_U[who] = np.where(self.last_U[who] == topic, self.run_U[who] + 1, 1)
            self.last_U[who] = topic
            tired_B[clicked_B] |= self.run_U[who] >= self.config.alike
        return novel_B, tired_B
