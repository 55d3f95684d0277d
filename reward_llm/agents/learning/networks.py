"""Actors and critics.

An actor gives a raw action, any real numbers; the agent makes of it what may be done (`learning.choices`). All agents
of a kind share one actor and one critic. The critic is central: it reads the state of the market beside that of the
agent, and is there in training alone.
"""

# B decisions, O observation, G state, A parts of an action, H hidden

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn

HIDDEN_GAIN: Final = math.sqrt(2)
ACTOR_GAIN: Final = 0.01
CRITIC_GAIN: Final = 1.0


def orthogonal(layer: nn.Linear, gain: float) -> nn.Linear:
    """The layer with orthogonal weights (Saxe et al. 2014) and no bias, as Engstrom et al. 2020 start PPO."""
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


class Perceptron(nn.Sequential):
    """Hidden layers with tanh; `width` is that of what it gives."""

    def __init__(self, observation: int, hidden: Sequence[int]) -> None:
        layers: list[nn.Module] = []
        for inward, outward in pairwise((observation, *hidden)):
            layers += [orthogonal(nn.Linear(inward, outward), HIDDEN_GAIN), nn.Tanh()]
        super().__init__(*layers)
        self.width = hidden[-1]


class Actor(nn.Module):
    """A normal distribution of raw actions: its mean is read from the observation, its deviation is learned alone.

    The last layer starts a hundred times smaller than the others (Andrychowicz et al. 2021, choice C57): at first
    the mean is 0 nearly everywhere.
    """

    def __init__(self, body: nn.Module, width: int, actions: int, *, deviation: float = 0.3) -> None:
        super().__init__()
        self.body = body
        self.head = orthogonal(nn.Linear(width, actions), ACTOR_GAIN)
        self.log_deviation_A = nn.Parameter(torch.full((actions,), math.log(deviation)))

    def forward(self, observation_BO: Tensor) -> Tensor:
        """The mean, which is what an agent does that doesn't explore."""
        mean_BA: Tensor = self.head(self.body(observation_BO))
        return mean_BA

    def sample(self, observation_BO: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A raw action and the logarithm of its density."""
        mean_BA = self(observation_BO)
        noise_BA = torch.randn(mean_BA.shape, generator=generator)
        raw_BA = mean_BA + self.log_deviation_A.exp() * noise_BA
        return raw_BA, self._density(raw_BA, mean_BA)

    def log_prob(self, observation_BO: Tensor, raw_BA: Tensor) -> Tensor:
        """The logarithm of a raw action's density."""
        return self._density(raw_BA, self(observation_BO))

    def entropy(self) -> Tensor:
        """Of the raw action, in nats."""
        return (self.log_deviation_A + 0.5 * math.log(2 * math.pi * math.e)).sum()

    def _density(self, raw_BA: Tensor, mean_BA: Tensor) -> Tensor:
        away_BA = (raw_BA - mean_BA) / self.log_deviation_A.exp()
        return (-0.5 * away_BA.square() - self.log_deviation_A - 0.5 * math.log(2 * math.pi)).sum(-1)


class Critic(nn.Module):
    """What a state is worth to an agent (Lowe et al. 2017 and Yu et al. 2022: trained centrally)."""

    def __init__(self, state: int, hidden: Sequence[int]) -> None:
        super().__init__()
        self.body = Perceptron(state, hidden)
        self.head = orthogonal(nn.Linear(self.body.width, 1), CRITIC_GAIN)

    def forward(self, state_BG: Tensor) -> Tensor:
        """One value a state."""
        value_B1: Tensor = self.head(self.body(state_BG))
        return value_B1.squeeze(-1)
