from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from reward_llm.agents.learning.choices import Choices
from reward_llm.agents.learning.networks import orthogonal
from tests.agents.learning.cases import generator, networks


def test_layers_start_orthogonal_the_actor_s_last_one_small() -> None:
    layer = orthogonal(nn.Linear(8, 5), math.sqrt(2))
    torch.testing.assert_close(layer.weight @ layer.weight.T, 2 * torch.eye(5))
    assert not layer.bias.any()
    actor, critic = networks()
    torch.testing.assert_close(actor.head.weight @ actor.head.weight.T, 1e-4 * torch.eye(2))
    assert critic.head.weight.norm().item() == pytest.approx(1)


def test_the_density_is_that_of_a_normal_distribution() -> None:
    actor, _ = networks()
    with torch.no_grad():
        actor.log_deviation_A.copy_(torch.tensor([-1.0, 0.5]))
    observation_BO = torch.randn(7, 3, generator=generator())
    raw_BA, log_prob_B = actor.sample(observation_BO, generator(1))
    normal = torch.distributions.Normal(actor(observation_BO), actor.log_deviation_A.exp())
    torch.testing.assert_close(log_prob_B, normal.log_prob(raw_BA).sum(-1))
    torch.testing.assert_close(actor.log_prob(observation_BO, raw_BA), log_prob_B)
    torch.testing.assert_close(actor.entropy(), normal.entropy()[0].sum())


def test_an_untrained_actor_chooses_about_the_centre() -> None:
    actor, _ = networks()
    mean_BA = actor(torch.randn(50, 3, generator=generator())).detach().numpy()
    parts = Choices(names=("ask", "bid"), centre=(0.2, 0.9)).of(mean_BA)
    assert abs(parts["ask"] - 0.2).max() < 0.01
    assert abs(parts["bid"] - 0.9).max() < 0.01
