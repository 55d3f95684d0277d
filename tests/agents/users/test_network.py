from __future__ import annotations

import torch

from reward_llm.agents.learning.networks import Actor
from reward_llm.agents.users.config import UserAgentConfig
from reward_llm.agents.users.network import BehaviourBody
from tests.agents.learning.cases import generator

CONFIG = UserAgentConfig(sequence=5)
STATE, CLICK = 3, 4


def body() -> BehaviourBody:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        return BehaviourBody(STATE, CLICK, CONFIG)


def observation(clicks: int, users: int = 6) -> torch.Tensor:
    row = torch.rand(users, STATE + 5 * CLICK, generator=generator())
    row[:, STATE : STATE + (5 - clicks) * CLICK] = 0
    return row


def test_it_reads_histories_of_any_length() -> None:
    for clicks in range(6):
        read_BH = body()(observation(clicks))
        assert read_BH.shape == (6, CONFIG.hidden)
        assert read_BH.isfinite().all()


def test_the_order_of_clicks_and_the_state_matter() -> None:
    whole, given = body(), observation(5)
    turned = given.clone()
    turned[:, STATE:] = given[:, STATE:].reshape(6, 5, CLICK).flip(1).reshape(6, -1)
    other = given.clone()
    other[:, 0] += 1
    for changed in (turned, other):
        assert (whole(given) - whole(changed)).abs().amax(1).min() > 1e-4


def test_users_are_read_apart() -> None:
    whole, given = body(), observation(3)
    torch.testing.assert_close(whole(given)[2:3], whole(given[2:3]))


def test_gradients_reach_every_parameter() -> None:
    actor = Actor(body(), CONFIG.hidden, 1)
    given = torch.cat([observation(5), observation(2)])
    (actor.log_prob(given, torch.rand(12, 1, generator=generator(1))).sum() + actor.entropy()).backward()
    for name, parameter in actor.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all()
        assert parameter.grad.any(), name
