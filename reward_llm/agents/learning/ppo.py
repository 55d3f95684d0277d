"""Proximal policy optimisation for agents that share an actor and a central critic.

rollout --> values --> GAE --> epochs x batches: surrogate + value loss - entropy --> Adam
"""

# T steps, N agents, B decisions

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from ranker.errors import TrainingFailed
from reward_llm.agents.learning.config import PPOConfig
from reward_llm.agents.learning.gae import advantages
from reward_llm.agents.learning.losses import divergence, normalised, surrogate_loss, value_loss
from reward_llm.agents.learning.networks import Actor, Critic
from reward_llm.agents.learning.rollout import Rollout, Taught, shifted
from reward_llm.agents.learning.scale import ReturnScale

ADAM_EPSILON: Final = 1e-5
"""As in the published implementations (Huang et al. 2022)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """Decisions that teach, in one row; values and returns in the returns' own spread."""

    observation_BO: Tensor
    state_BG: Tensor
    raw_BA: Tensor
    log_prob_B: Tensor
    value_B: Tensor
    advantage_B: Tensor
    return_B: Tensor

    def select(self, rows_B: Tensor) -> Lessons:
        """Some of them."""
        return Lessons(**{name: getattr(self, name)[rows_B] for name in Lessons.__slots__})


class PPO:
    """Teaches one kind of agents."""

    def __init__(self, actor: Actor, critic: Critic, config: PPOConfig) -> None:
        self.actor, self.critic, self._config = actor, critic, config
        self._scale = ReturnScale()
        self._parameters = [*actor.parameters(), *critic.parameters()]
        self._adam = torch.optim.Adam(self._parameters, lr=config.learning_rate, eps=ADAM_EPSILON)

    def learn(self, rollout: Rollout, generator: torch.Generator) -> dict[str, float]:
        """Several passes over a rollout; gives what they came to, nothing if no decision teaches.

        Raises:
            TrainingFailed: If a gradient isn't finite.
        """
        lessons = self.lessons(rollout)
        count = len(lessons.return_B)
        if not count:
            return {}
        seen: list[dict[str, float]] = []
        for _ in range(self._config.epochs):
            batches = torch.split(torch.randperm(count, generator=generator), self._config.batch)
            seen += [self._step(lessons.select(rows_B)) for rows_B in batches]
            if seen[-1]["divergence"] > self._config.divergence:
                break
        figures = {name: sum(one[name] for one in seen) / len(seen) for name in seen[0]}
        return {**figures, "explained": _explained(lessons), "deviation": self._deviation()}

    def lessons(self, rollout: Rollout) -> Lessons:
        """Advantages and returns of a rollout, by the critic as it is."""
        packed = rollout.packed()
        way = Taught.of(packed)
        with torch.no_grad():
            value_TN = self._scale.restored(self.critic(packed.state_TNG))
        advantage_TN = advantages(
            *(packed.reward_TN, value_TN, shifted(value_TN)),
            terminated_TN=packed.terminated_TN,
            truncated_TN=way.truncated_TN,
            discount=self._config.discount,
            trace=self._config.trace,
        )
        taught_TN = way.taught_TN
        value_B, return_B = value_TN[taught_TN], (advantage_TN + value_TN)[taught_TN]
        if len(return_B):
            self._scale.follow(return_B)
        return Lessons(
            observation_BO=packed.observation_TNO[taught_TN],
            state_BG=packed.state_TNG[taught_TN],
            raw_BA=packed.raw_TNA[taught_TN],
            log_prob_B=packed.log_prob_TN[taught_TN],
            value_B=self._scale.normal(value_B),
            advantage_B=advantage_TN[taught_TN],
            return_B=self._scale.normal(return_B),
        )

    def loss(self, batch: Lessons) -> tuple[Tensor, dict[str, float]]:
        """The whole loss of a batch (Schulman et al. 2017, equation 9), and its parts."""
        config = self._config
        log_prob_B = self.actor.log_prob(batch.observation_BO, batch.raw_BA)
        surrogate = surrogate_loss(log_prob_B, batch.log_prob_B, normalised(batch.advantage_B), clip=config.clip)
        value_B = self.critic(batch.state_BG)
        error = value_loss(value_B, batch.value_B, batch.return_B, clip=config.value_clip)
        entropy = self.actor.entropy()
        whole = surrogate + config.value_weight * error - config.entropy * entropy
        moved = divergence(log_prob_B.detach(), batch.log_prob_B)
        parts = {"surrogate": surrogate, "value_loss": error, "entropy": entropy, "divergence": moved}
        return whole, {name: part.item() for name, part in parts.items()}

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimizer and the returns' scale."""
        return {
            "actor": self.actor.state_dict(),
            "critic": self.critic.state_dict(),
            "adam": self._adam.state_dict(),
            "scale": self._scale.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.actor.load_state_dict(state["actor"])
        self.critic.load_state_dict(state["critic"])
        self._adam.load_state_dict(state["adam"])
        self._scale.load_state_dict(state["scale"])

    def _step(self, batch: Lessons) -> dict[str, float]:
        loss, parts = self.loss(batch)
        self._adam.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        norm = nn.utils.clip_grad_norm_(self._parameters, self._config.gradient_clip).item()
        if not math.isfinite(norm):
            raise TrainingFailed("the gradient isn't finite", hint="lower the learning rate, or look at the rewards")
        self._adam.step()
        return parts

    def _deviation(self) -> float:
        return self.actor.log_deviation_A.detach().exp().mean().item()


def _explained(lessons: Lessons) -> float:
    """The share of the returns' variance that the critic foresaw; 1 is all, below 0 is worse than their mean."""
    spread = lessons.return_B.var(correction=0).item()
    return 1 - (lessons.return_B - lessons.value_B).var(correction=0).item() / spread if spread else 0.0
