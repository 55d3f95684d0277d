from __future__ import annotations

import copy

import torch

from reward_llm.agents.learning.config import MADDPGConfig
from reward_llm.agents.learning.maddpg import MADDPG
from reward_llm.agents.learning.replay import Replay
from reward_llm.agents.learning.rollout import Rollout
from tests.agents.learning.cases import echo_rollout, echo_score, generator, networks, random_rollout

CONFIG = MADDPGConfig(batch=16, updates=1, discount=0.9)


def teacher(config: MADDPGConfig = CONFIG) -> MADDPG:
    actor, _ = networks()
    return MADDPG(actor, networks(state=4 + 2 + 2)[1], config)


def test_the_losses_are_those_of_plain_lines() -> None:
    maddpg, replay = teacher(), Replay(100)
    replay.add(random_rollout(steps=8))
    batch = replay.draw(16, generator())
    squares, values = 0.0, 0.0
    for b in range(16):
        s, j, s2, j2 = (batch[name][b] for name in ("state", "joint", "next_state", "next_joint"))
        ahead = maddpg.critic(torch.cat([s2, maddpg.actor(batch["next_observation"][b]), j2])[None])[0]
        goal = batch["reward"][b] + 0.9 * ahead * (not batch["terminated"][b])
        squares += (maddpg.critic(torch.cat([s, batch["raw"][b], j])[None])[0] - goal).item() ** 2 / 16
        values += maddpg.critic(torch.cat([s, maddpg.actor(batch["observation"][b]), j])[None])[0].item() / 16
    torch.testing.assert_close(maddpg.critic_loss(batch).item(), squares)
    torch.testing.assert_close(maddpg.actor_loss(batch).item(), -values)


def test_targets_follow_slowly() -> None:
    maddpg = teacher(MADDPGConfig(batch=16, updates=1, follow=0.25))
    before = copy.deepcopy(maddpg.state_dict()["target_actor"])
    maddpg.learn(random_rollout(steps=8), generator())
    actor, target = maddpg.state_dict()["actor"], maddpg.state_dict()["target_actor"]
    for name, kept in target.items():
        torch.testing.assert_close(kept, 0.75 * before[name] + 0.25 * actor[name])


def test_it_learns_to_say_what_was_seen() -> None:
    maddpg = teacher(MADDPGConfig(batch=128, updates=30, actor_rate=3e-3, critic_rate=1e-2, follow=0.05))
    source = generator()
    for _ in range(40):
        maddpg.learn(echo_rollout(maddpg.actor, source), source)
    assert echo_score(maddpg.actor) > -0.08


def test_a_replay_keeps_the_latest_decisions_with_what_came_next() -> None:
    replay = Replay(7)
    first, second = random_rollout(), random_rollout(seed=1)
    replay.add(first)
    replay.add(second)
    assert len(replay) == 7
    drawn = replay.draw(200, generator())
    seen = {tuple(row) for row in second.packed().observation_TNO.flatten(0, 1).tolist()}
    assert all(tuple(row) in seen for row in drawn["observation"].tolist())
    goes_on = ~drawn["terminated"]
    assert all(tuple(row) in seen for row in drawn["next_observation"][goes_on].tolist())


def test_nothing_remembered_is_no_lesson() -> None:
    rollout = random_rollout()
    rollout.present_TN.fill_(value=False)
    assert teacher().learn(rollout, generator()) == {}
    assert isinstance(rollout, Rollout)
