"""A small problem with a known answer: to say what was seen."""

from __future__ import annotations

import torch
from torch import Tensor

from reward_llm.agents.learning.networks import Actor, Critic, Perceptron
from reward_llm.agents.learning.rollout import Rollout


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def networks(observation: int = 3, state: int = 4, actions: int = 2, seed: int = 0) -> tuple[Actor, Critic]:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        body = Perceptron(observation, (16,))
        return Actor(body, body.width, actions), Critic(state, (16,))


def random_rollout(steps: int = 6, agents: int = 5, seed: int = 0) -> Rollout:
    source = generator(seed)
    return Rollout(
        observation_TNO=torch.randn(steps, agents, 3, generator=source),
        state_TNG=torch.randn(steps, agents, 4, generator=source),
        joint_TNJ=torch.randn(steps, agents, 2, generator=source),
        raw_TNA=torch.randn(steps, agents, 2, generator=source),
        log_prob_TN=-torch.rand(steps, agents, generator=source),
        reward_TN=torch.randn(steps, agents, generator=source),
        terminated_TN=torch.rand(steps, agents, generator=source) < 0.2,
        present_TN=torch.rand(steps, agents, generator=source) < 0.7,
    )


def echo_rollout(actor: Actor, source: torch.Generator, *, steps: int = 8, agents: int = 64) -> Rollout:
    """Agents that see a number and are paid for a first action near it, for the second one near 0."""
    seen_TN = 2 * torch.rand(steps, agents, generator=source) - 1
    observation_TNO = torch.stack([seen_TN, torch.ones_like(seen_TN), torch.zeros_like(seen_TN)], dim=-1)
    with torch.no_grad():
        raw_TNA, log_prob_TN = actor.sample(observation_TNO, source)
    return Rollout(
        observation_TNO=observation_TNO,
        state_TNG=torch.cat([observation_TNO, observation_TNO[..., :1].square()], dim=-1),
        joint_TNJ=raw_TNA.mean(1, keepdim=True).expand_as(raw_TNA),
        raw_TNA=raw_TNA,
        log_prob_TN=log_prob_TN,
        reward_TN=echo_reward(seen_TN, raw_TNA),
        terminated_TN=torch.ones_like(seen_TN, dtype=torch.bool),
        present_TN=torch.ones_like(seen_TN, dtype=torch.bool),
    )


def echo_reward(seen_TN: Tensor, raw_TNA: Tensor) -> Tensor:
    return -(raw_TNA[..., 0] - seen_TN).square() - raw_TNA[..., 1].square()


def echo_score(actor: Actor) -> float:
    seen_B = torch.linspace(-1, 1, 41)
    observation_BO = torch.stack([seen_B, torch.ones_like(seen_B), torch.zeros_like(seen_B)], dim=-1)
    with torch.no_grad():
        return echo_reward(seen_B, actor(observation_BO)).mean().item()
