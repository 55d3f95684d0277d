from __future__ import annotations

import pytest
import torch

from reward_llm.agents.learning.scale import ReturnScale
from tests.agents.learning.cases import generator


def test_returns_are_measured_by_their_own_spread_and_back() -> None:
    scale, return_B = ReturnScale(), 50 + 7 * torch.randn(10_000, generator=generator())
    torch.testing.assert_close(scale.normal(return_B), return_B)
    scale.follow(return_B)
    normal_B = scale.normal(return_B)
    assert normal_B.mean().item() == pytest.approx(0, abs=0.01)
    assert normal_B.std().item() == pytest.approx(1, abs=0.01)
    torch.testing.assert_close(scale.restored(normal_B), return_B)


def test_it_forgets_and_returns_all_alike_do_no_harm() -> None:
    scale = ReturnScale()
    scale.follow(torch.full((5,), 100.0))
    for _ in range(100):
        scale.follow(torch.zeros(5))
    assert scale.restored(torch.zeros(())).item() == pytest.approx(0, abs=0.01)
    assert scale.normal(torch.zeros(3)).isfinite().all()
