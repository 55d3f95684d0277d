from __future__ import annotations

import torch

from reward_llm.agents.learning.rollout import Rollout, Taught
from tests.agents.learning.cases import random_rollout


def test_packing_keeps_every_agent_s_decisions_in_order() -> None:
    rollout = random_rollout()
    packed = rollout.packed()
    for agent in range(5):
        present_T = rollout.present_TN[:, agent]
        count = int(present_T.sum())
        assert packed.present_TN[:, agent].tolist() == [True] * count + [False] * (6 - count)
        for name in ("observation_TNO", "raw_TNA", "reward_TN"):
            whole, moved = getattr(rollout, name)[:, agent], getattr(packed, name)[:, agent]
            assert torch.equal(moved[:count], whole[present_T])


def test_an_agent_s_last_decision_teaches_only_if_it_terminated() -> None:
    rollout = random_rollout(steps=9, seed=3)
    packed = rollout.packed()
    way = Taught.of(packed)
    for agent in range(5):
        count = int(rollout.present_TN[:, agent].sum())
        ended_T = packed.terminated_TN[:, agent]
        for step in range(9):
            is_last = step == count - 1
            assert way.taught_TN[step, agent] == (step < count and (not is_last or bool(ended_T[step])))
            if way.taught_TN[step, agent] and not ended_T[step]:
                assert way.truncated_TN[step, agent] == (not way.taught_TN[step + 1, agent])


def test_rollouts_of_unlike_length_stand_side_by_side() -> None:
    short, long = random_rollout(steps=2), random_rollout(steps=4, agents=3, seed=1)
    both = Rollout.joined([short, long])
    assert both.reward_TN.shape == (4, 8)
    assert not both.present_TN[2:, :5].any()
    assert torch.equal(both.observation_TNO[:2, :5], short.observation_TNO)
    assert torch.equal(both.present_TN[:, 5:], long.present_TN)
