"""REINFORCE (Williams 1992) as in Chen et al. 2023, with a choice of baselines (`ranker.training.config`).

    gradient = mean over samples of sum_t A_t grad log pi(a_t) + beta grad entropy

B batch, S samples, N slate, K utilities.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ranker.actor import Actor, Slates
from ranker.objective import Objective
from ranker.requests import EMPTY, Requests
from ranker.training.advantage import leave_one_out, policy_loss, returns_to_go, scaled
from ranker.training.config import ActorTraining
from ranker.training.lessons import Lessons


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A batch: requests, the weights that each is ranked for, and how long the slates are."""

    lessons: Lessons
    weights_BK: Tensor
    size: int

    @property
    def requests(self) -> Requests:
        """Those of the lessons."""
        return self.lessons.requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Reinforce:
    """Sampled slates against a baseline."""

    actor: Actor
    training: ActorTraining
    objective: Objective

    def advantages(self, lesson: Lesson, drawn: Slates, reward_BS: Tensor) -> Tensor:
        """How much better each choice was than what it is compared with, as `advantage_BSN`."""
        return_BSN = reward_BS.unsqueeze(-1).expand_as(drawn.log_prob_BSN)
        if self.training.reward_to_go:
            return_BSN = returns_to_go(self._prefix_rewards(lesson, drawn.slate_BSN))
        if self.training.baseline == "leave_one_out":
            advantage_BSN = leave_one_out(return_BSN)
        else:
            advantage_BSN = return_BSN - self._compared(lesson)
        return scaled(advantage_BSN, self.training.scale)

    def loss(self, lesson: Lesson, drawn: Slates, reward_BS: Tensor) -> Tensor:
        """What is descended, without the entropy bonus."""
        policy = policy_loss(drawn.log_prob_BSN, self.advantages(lesson, drawn, reward_BS))
        best_B1 = reward_BS.argmax(-1, keepdim=True)
        own_best = drawn.log_prob_BSN.sum(-1).gather(1, best_B1).mean()
        return policy - self.training.imitation * own_best

    def _compared(self, lesson: Lesson) -> Tensor:
        """Rewards of the greedy slates or of the logged lists, of shape (B, 1, 1) or, to go, (B, 1, N)."""
        if self.training.baseline == "logged":
            assert lesson.lessons.shown_BN is not None  # noqa: S101 - checked before the run
            slate_BN = lesson.lessons.shown_BN[:, : lesson.size]
        else:
            slate_BN = self.actor.greedy(lesson.requests, lesson.weights_BK, lesson.size).clone()
        if self.training.reward_to_go:
            return returns_to_go(self._prefix_rewards(lesson, slate_BN.unsqueeze(1)))
        return self.objective.reward(lesson.requests, lesson.weights_BK, slate_BN.unsqueeze(1)).unsqueeze(-1)

    def _prefix_rewards(self, lesson: Lesson, slate_BSN: Tensor) -> Tensor:
        size = slate_BSN.shape[-1]
        is_before_NN = torch.ones(size, size, dtype=torch.bool).tril()
        prefix_BSNN = torch.where(is_before_NN, slate_BSN.unsqueeze(2), EMPTY)
        reward_BR = self.objective.reward(lesson.requests, lesson.weights_BK, prefix_BSNN.flatten(1, 2))
        return reward_BR.reshape(lesson.requests.B, -1, size)
