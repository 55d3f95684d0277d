"""Comparisons, sequences and shares, against other people's packages and against simulation.

Values of packages that can't be installed beside ours are written down with the calls that gave them.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
import pyarrow as pa
import pytest
import tea_tasting as tt
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.experiments import Moments, total
from reward_llm.loop.experiments.statistics.comparison import compare, spread
from reward_llm.loop.experiments.statistics.sequences import multiplier, one_of_many, one_sided, tuning, two_sided
from reward_llm.loop.experiments.statistics.shares import ratio_p


def moments(*columns: np.ndarray) -> Moments:
    table = np.column_stack(columns)
    return Moments(len(table), tuple(table.sum(axis=0).tolist()), tuple(map(tuple, (table.T @ table).tolist())))


def users(seed: int, count: int = 3_000) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    liveliness = draw.gamma(2.0, size=count)
    shown, shown_before = draw.poisson(10 * liveliness) + 1, draw.poisson(10 * liveliness) + 1
    taste = draw.beta(2, 8, size=count)
    arm = draw.integers(0, 2, count)
    clicks = draw.binomial(shown, taste * (1 + 0.05 * arm))
    return {
        "variant": arm,
        "clicks": clicks.astype(float),
        "shown": shown.astype(float),
        "clicks_before": draw.binomial(shown_before, taste).astype(float),
        "shown_before": shown_before.astype(float),
    }


def arms(data: dict[str, np.ndarray], *names: str) -> tuple[Moments, Moments]:
    columns = [data[n] if n in data else np.full(len(data["variant"]), float(n)) for n in names]
    control, treatment = (moments(*(c[data["variant"] == a] for c in columns)) for a in (0, 1))
    return control, treatment


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["mean", "ratio", "mean with covariate", "ratio with covariate"])
def test_differences_and_their_errors_are_those_of_tea_tasting(kind: str, seed: int) -> None:
    data = users(seed)
    below, before = ("shown", "shown_before") if "ratio" in kind else ("1", "1")
    with_covariate = "covariate" in kind
    if "ratio" in kind:
        covariates = {"numer_covariate": "clicks_before", "denom_covariate": "shown_before"} if with_covariate else {}
        metric = tt.RatioOfMeans("clicks", "shown", equal_var=False, use_t=False, **covariates)
    else:
        metric = tt.Mean("clicks", "clicks_before" if with_covariate else None, equal_var=False, use_t=False)
    theirs = tt.Experiment(m=metric).analyze(pa.table(data))["m"]
    names = ("clicks", below, "clicks_before", before) if with_covariate else ("clicks", below, "0", "0")
    ours = compare(*arms(data, *names))
    assert ours is not None
    assert ours.difference == pytest.approx(theirs.effect_size, rel=2e-3)
    half = (theirs.effect_size_ci_upper - theirs.effect_size_ci_lower) / 2
    assert sqrt(ours.variance) * 1.959964 == pytest.approx(half, rel=2e-3)
    assert (ours.kept < 0.95) is with_covariate


def test_two_sided_sequences_are_those_of_growthbook() -> None:
    """gbstats 0.8.0: SequentialTwoSidedTTest(a, b, SequentialConfig(…)).compute_result().ci, absolute differences."""
    for count, variances, tuned_for, alpha, low, high in (
        (500, (0.16, 0.1875), 2_000, 0.05, -0.031291667662071865, 0.13129166766207184),
        (4_000, (4.0, 5.0), 5_000, 0.05, -0.044551045687488744, 0.24455104568748892),
        (20_000, (9.0, 9.0), 10_000, 0.01, -0.05959862954468036, 0.1595986295446818),
    ):
        variance = sum(v / count for v in variances)
        tuned = tuning(tuned_for / (2 * count) / variance, alpha)
        assert two_sided(variance, tuned, alpha) == pytest.approx((high - low) / 2, rel=1e-9)


def test_p_values_of_shares_are_those_of_savvi() -> None:
    """savvi 0.3.1: Multinomial(0.05, [1 - share, share], k=1000), its update(…) and calculate_p_value()."""
    assert ratio_p(5_000, 5_200, 0.5) == pytest.approx(0.5611404165637457)
    assert ratio_p(10_000, 10_500, 0.5) == pytest.approx(0.013835973225877663)
    assert ratio_p(9_000, 1_100, 0.1) == pytest.approx(0.06575776776635034)
    assert ratio_p(5_000, 5_000, 0.5) == ratio_p(900, 100, 0.1) == 1.0, "theirs go over 1"


@given(st.floats(0.005, 0.2), st.floats(0.01, 100.0))
def test_a_one_sided_end_is_nearer_and_a_sequence_is_wider_than_a_single_interval(alpha: float, share: float) -> None:
    tuned = tuning(1.0, alpha)
    variance = 1 / share
    assert one_sided(variance, tuned, alpha) < two_sided(variance, tuned, alpha)
    assert one_sided(variance, tuned, alpha / 2) > one_of_many(variance, 1, alpha / 2)


def test_the_tuned_information_is_where_a_sequence_is_narrowest() -> None:
    tuned = tuning(1.0, 0.05)
    errors = {
        share: two_sided(1 / share, tuned, 0.05) * sqrt(share) for share in (0.2, 0.5, 0.8, 1.0, 1.25, 2.0, 5.0)
    }
    assert min(errors, key=errors.__getitem__) == 1.0
    assert multiplier(0.05) == errors[1.0]


def test_a_random_walk_leaves_its_sequence_as_rarely_as_it_says() -> None:
    draw, runs, steps, alpha = np.random.default_rng(4), 4_000, 300, 0.1
    walk = draw.standard_normal((runs, steps)).cumsum(axis=1)
    information = np.arange(1, steps + 1)
    tuned = tuning(100.0, alpha)
    two = np.array([two_sided(1 / i, tuned, alpha) for i in information])
    one = np.array([one_sided(1 / i, tuned, alpha) for i in information])
    mean = walk / information
    assert 0.02 < (np.abs(mean) > two).any(axis=1).mean() < alpha
    assert 0.02 < (mean > one).any(axis=1).mean() < alpha


def test_wrong_shares_show_and_right_ones_dont_at_any_look() -> None:
    draw = np.random.default_rng(2)
    daily = draw.binomial(1_000, 0.5, size=(500, 20)).cumsum(axis=1)
    looks = [[ratio_p(1_000 * (d + 1) - int(t), int(t), 0.5) for d, t in enumerate(run)] for run in daily]
    assert np.mean([min(run) < 0.05 for run in looks]) < 0.05
    assert ratio_p(10_000, 9_000, 0.5) < 0.0005 < ratio_p(1_000, 900, 0.5)


def test_moments_of_groups_add_up() -> None:
    data = users(1)
    names = ("clicks", "shown", "clicks_before", "shown_before")
    whole, parts = moments(*(data[n] for n in names)), total(arms(data, *names))
    assert parts.count == whole.count
    np.testing.assert_allclose(parts.sums, whole.sums)
    np.testing.assert_allclose(parts.products, whole.products)
    value, deviation = spread(whole) or (0.0, 0.0)
    assert value == pytest.approx(data["clicks"].sum() / data["shown"].sum())
    line = (data["clicks"] - value * data["shown"]) / data["shown"].mean()
    assert deviation == pytest.approx(line.std(ddof=1))


def test_nothing_to_measure_compares_to_nothing() -> None:
    nobody = moments(np.zeros(5), np.zeros(5), np.zeros(5), np.zeros(5))
    alike = moments(np.ones(5), np.ones(5), np.zeros(5), np.zeros(5))
    assert compare(nobody, alike) is None
    assert compare(alike, alike) is None
    assert spread(nobody) is None


def test_a_margin_lowers_what_the_treatment_must_reach() -> None:
    control, treatment = arms(users(2), "clicks", "shown", "clicks_before", "shown_before")
    plain, lenient = compare(control, treatment), compare(control, treatment, factor=0.9)
    assert plain is not None
    assert lenient is not None
    assert lenient.difference == pytest.approx(plain.difference + 0.1 * plain.control)
    assert lenient.variance < plain.variance
