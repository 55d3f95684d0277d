from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.weights import Weights
from reward_llm.errors import WeightsInvalid

parts = st.lists(st.integers(1, 10_000), min_size=2, max_size=12)


@given(parts)
def test_rounded_weights_add_up_to_one_exactly_and_stay_close(parts):
    exact = {f"u{i}": p / sum(parts) for i, p in enumerate(parts)}
    weights = Weights.rounded(exact)
    assert sum(round(v * 10_000) for v in weights.values()) == 10_000
    assert all(abs(weights[k] - exact[k]) <= 1e-4 for k in exact)


@given(parts, parts)
def test_distance_is_a_metric_on_the_simplex(first, second):
    size = min(len(first), len(second))
    a, b = (Weights({f"u{i}": p / sum(x[:size]) for i, p in enumerate(x[:size])}) for x in (first, second))
    assert a.distance(a) == 0
    assert a.distance(b) == b.distance(a)
    assert 0 <= a.distance(b) <= 2


@pytest.mark.parametrize(
    "values",
    [{"a": 0.5, "b": 0.6}, {"a": -0.1, "b": 1.1}, {"a": math.nan, "b": 1.0}, {"a": math.inf, "b": 0.0}, {}],
)
def test_what_is_off_the_simplex_is_refused(values):
    with pytest.raises(WeightsInvalid):
        Weights(values)
