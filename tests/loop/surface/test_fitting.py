from __future__ import annotations

import math

import numpy as np
import pytest

from reward_llm.loop.surface.design import design
from reward_llm.loop.surface.fitting import Fit, fitted
from reward_llm.loop.surface.kernel import _LEVEL, Kernel, KernelConfig
from reward_llm.loop.surface.region import FloatArray, Region
from tests.strategies import HOME_FEED

DESIGN_DK = np.array([w.vector for w in design(HOME_FEED, 24)])
NO_ERROR_D = np.zeros(len(DESIGN_DK))
KERNELS = [
    KernelConfig(kind="quadratic", noise=0.5),
    KernelConfig(kind="process", noise=0.05, length=2.0, linear=0.3),
]


def values(design_DK: FloatArray, noise: float, seed: int = 0) -> FloatArray:
    smooth_D = 3 + 2 * design_DK[:, 0] * design_DK[:, 1] + design_DK[:, 4] - design_DK[:, 2] ** 2
    return np.asarray(smooth_D + noise * np.random.default_rng(seed).standard_normal(len(design_DK)))


@pytest.mark.parametrize("config", KERNELS)
def test_points_left_out_are_told_as_a_fit_without_them_tells_them(config: KernelConfig) -> None:
    """The closed form against fitting again without each point, with the same kernel and mean."""
    value_D = values(DESIGN_DK, 0.01)
    fit = Fit.of(config, DESIGN_DK, value_D, NO_ERROR_D)
    covariance_DD = fit.kernel.between(DESIGN_DK, DESIGN_DK) + config.noise * np.eye(len(value_D))
    misses = []
    for place in range(len(value_D)):
        rest = np.delete(np.arange(len(value_D)), place)
        alpha = np.linalg.solve(covariance_DD[np.ix_(rest, rest)], value_D[rest] - fit.mean)
        misses.append(value_D[place] - fit.mean - covariance_DD[place, rest] @ alpha)
    assert fit.left_out().error == pytest.approx(float(np.sqrt(np.mean(np.square(misses)))))


def test_a_quadratic_is_the_ridge_regression_on_its_terms() -> None:
    config, value_D = KERNELS[0], values(DESIGN_DK, 0.1)
    kernel = Kernel.of(config, DESIGN_DK)
    level = math.sqrt(_LEVEL)

    def terms(weights_WK: FloatArray) -> FloatArray:
        return np.pad(kernel._standard(weights_WK), ((0, 0), (0, 1)), constant_values=level)

    terms_DF = terms(DESIGN_DK)
    ridge_FF = terms_DF.T @ terms_DF + config.noise * np.eye(terms_DF.shape[1])
    slope_F = np.linalg.solve(ridge_FF, terms_DF.T @ (value_D - value_D.mean()))
    fit = Fit.of(config, DESIGN_DK, value_D, NO_ERROR_D)
    asked_WK = Region.of(HOME_FEED, HOME_FEED.defaults).drawn(9, np.random.default_rng(1))
    told_W = value_D.mean() + terms(asked_WK) @ slope_F
    assert fit.mean_of(asked_WK) == pytest.approx(told_W)
    variance_W = (terms(asked_WK) @ np.linalg.inv(ridge_FF) * terms(asked_WK)).sum(-1)
    moments = fit.moments(asked_WK, DESIGN_DK[0])
    assert moments.variance_W == pytest.approx(fit.scale * config.noise * variance_W)


@pytest.mark.parametrize("config", KERNELS)
def test_a_difference_from_the_reference_itself_is_certain(config: KernelConfig) -> None:
    fit = Fit.of(config, DESIGN_DK, values(DESIGN_DK, 0.1), NO_ERROR_D)
    mean_W, variance_W = fit.moments(DESIGN_DK[:3], DESIGN_DK[1]).difference(1.0)
    assert mean_W[1] == pytest.approx(0)
    assert variance_W[1] == pytest.approx(0, abs=1e-9)
    assert (variance_W[[0, 2]] > 0).all()


def test_what_all_points_share_is_no_part_of_the_noise() -> None:
    """Errors of the means that are wider than the scatter around the surface come from what the points share."""
    value_D = values(DESIGN_DK, 0.001)
    level = Fit.of(KERNELS[1], DESIGN_DK, value_D, np.full(len(value_D), 0.5)).level_variance
    assert 0.2 < level <= 0.25
    assert Fit.of(KERNELS[1], DESIGN_DK, value_D, NO_ERROR_D).level_variance == 0


def test_the_kind_that_misses_less_is_taken() -> None:
    bent_D = np.sin(40 * DESIGN_DK[:, 0]) + np.sin(40 * DESIGN_DK[:, 5])
    for value_D in (values(DESIGN_DK, 0.0), bent_D):
        fit, (quadratic, process) = fitted(DESIGN_DK, value_D, NO_ERROR_D)
        assert (fit.kernel.config.kind == "process") is (process.error < quadratic.error)
    exact, _ = fitted(DESIGN_DK, values(DESIGN_DK, 0.0), NO_ERROR_D)
    assert exact.left_out().error < 0.4 * values(DESIGN_DK, 0.0).std()


def test_intervals_cover_what_is_true_nearly_as_often_as_they_say() -> None:
    design_DK = np.array([w.vector for w in design(HOME_FEED, 44)])
    asked_WK = Region.of(HOME_FEED, HOME_FEED.defaults).drawn(40, np.random.default_rng(5))
    true_W, covered = values(asked_WK, 0.0), []
    for seed in range(10):
        fit, _ = fitted(design_DK, values(design_DK, 0.03, seed), np.zeros(len(design_DK)))
        moments = fit.moments(asked_WK, design_DK[0])
        covered.append(np.abs(moments.mean_W - true_W) <= 1.96 * np.sqrt(moments.variance_W))
    assert 0.8 < np.mean(covered) <= 1
