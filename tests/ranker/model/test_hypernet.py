from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ranker.config import HypernetConfig
from ranker.hypernet import Hypernet, on_simplex

SHAPES = {"matrix": (4, 3), "vector": (5,)}


def a_hypernet() -> Hypernet:
    torch.manual_seed(0)
    return Hypernet(3, SHAPES, HypernetConfig(hidden=8))


def test_every_parameter_comes_in_its_shape() -> None:
    generated = a_hypernet()(on_simplex(torch.rand(2, 3)))
    assert {name: tuple(value.shape[1:]) for name, value in generated.items()} == SHAPES


def test_other_weights_give_other_parameters_around_a_shared_base() -> None:
    hypernet = a_hypernet()
    corners = hypernet(torch.eye(3))["matrix"]
    assert (corners[0] - corners[1]).abs().max() > 1e-3
    middle = hypernet(torch.full((1, 3), 1 / 3))["matrix"]
    torch.testing.assert_close(middle[0], hypernet.base_P[:12].unflatten(0, (4, 3)), atol=0.5, rtol=0)


@settings(deadline=None, max_examples=30)
@given(weights=st.lists(st.floats(0.01, 10), min_size=3, max_size=3), scale=st.floats(1e-4, 1e4))
def test_weights_land_on_the_simplex_whatever_their_scale(weights: list[float], scale: float) -> None:
    weights_BK = torch.tensor([weights])
    simplex_BK = on_simplex(weights_BK)
    assert abs(simplex_BK.sum().item() - 1) < 1e-6
    torch.testing.assert_close(on_simplex(weights_BK * scale), simplex_BK, atol=1e-6, rtol=0)
