from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranker.bootstrap_interval import Interval, mean_intervals
from ranker.errors import ShapeMismatch, ValueOutOfRange

VALUES = st.lists(st.floats(-1, 1).map(lambda v: round(v, 3)), min_size=2, max_size=30)


def intervals(value_BC: np.ndarray, *, resamples: int = 500, confidence: float = 0.9, seed: int = 0) -> tuple:
    return mean_intervals(value_BC, resamples=resamples, confidence=confidence, seed=seed)


def slow_bca(value_B: np.ndarray, resamples: int, confidence: float, seed: int) -> tuple[float, float]:
    """Efron and Tibshirani 1993, chapter 14: resamples as lists, the acceleration by the jackknife."""
    normal, generator = NormalDist(), np.random.default_rng(seed)
    means = [float(generator.choice(value_B, len(value_B)).mean()) for _ in range(resamples)]
    bias = normal.inv_cdf(sum(m < value_B.mean() for m in means) / resamples)
    left_out = np.array([np.delete(value_B, i).mean() for i in range(len(value_B))])
    apart = left_out.mean() - left_out
    acceleration = (apart**3).sum() / (6 * (apart**2).sum() ** 1.5)
    ends = []
    for tail in ((1 - confidence) / 2, (1 + confidence) / 2):
        shifted = bias + normal.inv_cdf(tail)
        ends.append(float(np.quantile(means, normal.cdf(bias + shifted / (1 - acceleration * shifted)))))
    return ends[0], ends[1]


def test_skewed_values_get_the_interval_of_the_textbook() -> None:
    value_B = np.random.default_rng(3).exponential(size=80)
    (got,) = intervals(value_B[:, None], resamples=20_000)
    low, high = slow_bca(value_B, 20_000, 0.9, seed=1)
    assert (got.low, got.high) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))
    assert got.high - got.mean > got.mean - got.low


def test_an_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    samples = np.random.default_rng(0).gamma(0.7, size=(60, 400))
    held = [one.low <= 0.7 <= one.high for one in intervals(samples, resamples=1_000)]
    assert 0.84 < np.mean(held) < 0.95


@given(VALUES, st.integers(0, 5))
@settings(max_examples=50)
def test_an_interval_lies_around_its_mean_within_the_values(values: list[float], seed: int) -> None:
    (got,) = intervals(np.array(values)[:, None], seed=seed)
    assert got.mean == pytest.approx(np.mean(values))
    assert min(values) - 1e-9 <= got.low <= got.high <= max(values) + 1e-9


@given(VALUES, st.floats(-5, 5), st.floats(0.1, 10))
@settings(max_examples=50)
def test_an_interval_moves_and_stretches_with_the_values(values: list[float], shift: float, scale: float) -> None:
    value_B1 = np.array(values)[:, None]
    (plain,), (moved,) = intervals(value_B1), intervals(value_B1 * scale + shift)
    assert moved.low == pytest.approx(plain.low * scale + shift, abs=1e-6)
    assert moved.high == pytest.approx(plain.high * scale + shift, abs=1e-6)


def test_more_confidence_makes_a_wider_interval() -> None:
    value_B1 = np.random.default_rng(0).normal(size=(50, 1))
    (narrow,), (wide,) = intervals(value_B1, confidence=0.8), intervals(value_B1, confidence=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_values_that_are_all_the_same_leave_no_doubt() -> None:
    assert intervals(np.full((5, 1), 0.25)) == (Interval(mean=0.25, low=0.25, high=0.25),)


def test_columns_are_drawn_alike_and_the_same_seed_gives_the_same() -> None:
    value_B = np.random.default_rng(0).normal(size=40)
    one, other = intervals(np.stack([value_B, value_B], axis=1))
    (alone,) = intervals(value_B[:, None])
    assert one == other
    assert (one.low, one.high) == pytest.approx((alone.low, alone.high))
    assert intervals(value_B[:, None]) == (alone,) != intervals(value_B[:, None], seed=1)


def test_what_can_not_be_drawn_from_is_refused() -> None:
    with pytest.raises(ShapeMismatch):
        intervals(np.zeros((0, 2)))
    for wrong in ({"resamples": 10}, {"resamples": 10**9}, {"confidence": 1.0}):
        with pytest.raises(ValueOutOfRange):
            intervals(np.zeros((4, 1)), **wrong)  # type: ignore[arg-type]
