from __future__ import annotations

import copy

import pytest
import torch

from ranker.errors import TrainingFailed
from reward_llm.agents.learning.config import PPOConfig
from reward_llm.agents.learning.losses import divergence, normalised, surrogate_loss, value_loss
from reward_llm.agents.learning.ppo import PPO, Lessons
from reward_llm.agents.learning.rollout import Rollout
from tests.agents.learning.cases import echo_rollout, echo_score, generator, networks, random_rollout

CONFIG = PPOConfig(epochs=1, value_clip=0.1, entropy=0.01, value_weight=0.5, clip=0.2, learning_rate=1e-2)


def plain_loss(ppo: PPO, lessons: Lessons) -> torch.Tensor:
    """Schulman et al. 2017, equations 7 and 9, a decision at a time."""
    std, mean = lessons.advantage_B.std(), lessons.advantage_B.mean()
    total = torch.zeros(())
    for b in range(len(lessons.return_B)):
        normal = torch.distributions.Normal(ppo.actor(lessons.observation_BO[b]), ppo.actor.log_deviation_A.exp())
        ratio = (normal.log_prob(lessons.raw_BA[b]).sum() - lessons.log_prob_B[b]).exp()
        advantage = (lessons.advantage_B[b] - mean) / (std + 1e-8)
        gain = min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage)
        value, old, aim = ppo.critic(lessons.state_BG[b : b + 1])[0], lessons.value_B[b], lessons.return_B[b]
        error = 0.5 * max((value - aim) ** 2, (old + (value - old).clamp(-0.1, 0.1) - aim) ** 2)
        total = total + (-gain + 0.5 * error - 0.01 * normal.entropy().sum()) / len(lessons.return_B)
    return total


def test_a_step_is_that_of_ten_plain_lines() -> None:
    actor, critic = networks()
    ppo = PPO(actor, critic, CONFIG)
    lessons = ppo.lessons(random_rollout(steps=12))
    with torch.no_grad():
        lessons.value_B.add_(0.3 * torch.randn(lessons.value_B.shape, generator=generator(5)))
    adam = torch.optim.Adam(ps := [*actor.parameters(), *critic.parameters()], lr=1e-2, eps=1e-5)
    plain = PPO(*copy.deepcopy((actor, critic)), CONFIG)
    loss, _ = ppo.loss(lessons)
    expected = plain_loss(plain, lessons)
    torch.testing.assert_close(loss, expected)
    expected.backward()
    qs = [*plain.actor.parameters(), *plain.critic.parameters()]
    torch.nn.utils.clip_grad_norm_(qs, 0.5)
    for p, q in zip(ps, qs, strict=True):
        p.grad = q.grad
    before = copy.deepcopy(ppo.state_dict())
    adam.step()
    stepped = copy.deepcopy([p.detach() for p in ps])
    ppo.load_state_dict(before)
    ppo._step(lessons)
    for p, wanted in zip(ps, stepped, strict=True):
        torch.testing.assert_close(p.detach(), wanted)


def test_absent_decisions_change_nothing() -> None:
    rollout = random_rollout(steps=8)
    noise = torch.where(rollout.present_TN, 0.0, 1e6)
    worse = Rollout(
        **{
            name: getattr(rollout, name) + (noise.unsqueeze(-1) if getattr(rollout, name).ndim == 3 else noise)
            for name in ("observation_TNO", "state_TNG", "joint_TNJ", "raw_TNA", "log_prob_TN", "reward_TN")
        },
        terminated_TN=rollout.terminated_TN,
        present_TN=rollout.present_TN,
    )
    results = []
    for given in (rollout, worse):
        ppo = PPO(*networks(), CONFIG)
        results.append(ppo.learn(given, generator()))
    assert results[0] == pytest.approx(results[1])


def test_nothing_is_gained_beyond_the_clip() -> None:
    old, advantage = torch.zeros(2), torch.tensor([1.0, -1.0])
    far = torch.tensor([1.0, -1.0], requires_grad=True)
    surrogate_loss(far, old, advantage, clip=0.2).backward()
    assert far.grad is not None
    assert not far.grad.any()
    wrong = torch.tensor([-1.0, 1.0], requires_grad=True)
    surrogate_loss(wrong, old, advantage, clip=0.2).backward()
    assert wrong.grad is not None
    assert wrong.grad.all()


def test_a_value_that_moved_far_towards_its_goal_stops_there() -> None:
    value = torch.tensor([1.0], requires_grad=True)
    value_loss(value, torch.tensor([0.0]), torch.tensor([1.5]), clip=0.2).backward()
    assert value.grad is not None
    assert not value.grad.any()


def test_advantages_alike_or_alone_teach_nothing() -> None:
    assert not normalised(torch.full((5,), 3.0)).any()
    assert not normalised(torch.tensor([3.0])).any()


def test_the_divergence_estimate_is_that_of_normal_distributions() -> None:
    old, new = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(0.1, 1.1)
    drawn = torch.randn(200_000, generator=generator())
    estimate = divergence(new.log_prob(drawn), old.log_prob(drawn)).item()
    assert estimate == pytest.approx(torch.distributions.kl_divergence(old, new).item(), rel=0.05)


def test_it_learns_to_say_what_was_seen() -> None:
    actor, critic = networks()
    ppo = PPO(actor, critic, PPOConfig(batch=256, learning_rate=1e-2, divergence=0.1))
    source = generator()
    before = echo_score(actor)
    for _ in range(40):
        figures = ppo.learn(echo_rollout(actor, source), source)
    assert before < -0.3
    assert echo_score(actor) > -0.03
    assert figures["explained"] < 1


def test_a_gradient_that_is_not_finite_is_refused() -> None:
    rollout = random_rollout()
    rollout.reward_TN.fill_(float("inf"))
    with pytest.raises(TrainingFailed, match="isn't finite"):
        PPO(*networks(), CONFIG).learn(rollout, generator())


def test_a_rollout_without_decisions_is_no_lesson() -> None:
    rollout = random_rollout()
    rollout.present_TN.fill_(value=False)
    assert PPO(*networks(), CONFIG).learn(rollout, generator()) == {}
