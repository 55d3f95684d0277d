from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.agents.learning.gae import advantages
from tests.agents.learning.cases import generator


def plain(reward, value, next_value, terminated, truncated, gamma, lam):
    """One stream, by the sum in the paper, from every step on its own."""
    found = []
    for start in range(len(reward)):
        total, factor = 0.0, 1.0
        for step in range(start, len(reward)):
            ahead = 0.0 if terminated[step] else next_value[step]
            total += factor * (reward[step] + gamma * ahead - value[step])
            if terminated[step] or truncated[step]:
                break
            factor *= gamma * lam
        found.append(total)
    return found


@given(seed=st.integers(0, 10_000), steps=st.integers(1, 9), gamma=st.floats(0, 1), lam=st.floats(0, 1))
def test_advantages_are_those_of_the_sum_in_the_paper(seed: int, steps: int, gamma: float, lam: float) -> None:
    source = generator(seed)
    reward, value, ahead = torch.randn(3, steps, 4, generator=source, dtype=torch.float64)
    terminated, truncated = torch.rand(2, steps, 4, generator=source) < 0.3
    found = advantages(
        reward, value, ahead, terminated_TN=terminated, truncated_TN=truncated, discount=gamma, trace=lam
    )
    for agent in range(4):
        columns = [x[:, agent].tolist() for x in (reward, value, ahead, terminated, truncated)]
        assert found[:, agent].tolist() == pytest.approx(plain(*columns, gamma, lam))


def test_a_termination_cuts_the_bootstrap_and_a_truncation_keeps_it() -> None:
    zero, ahead = torch.zeros(1, 2), torch.full((1, 2), 10.0)
    ends = torch.tensor([[True, False]])
    found = advantages(zero, zero, ahead, terminated_TN=ends, truncated_TN=~ends, discount=0.5, trace=1.0)
    assert found.tolist() == [[0.0, 5.0]]
