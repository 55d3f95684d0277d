"""One metric over weights: fitted, judged by leaving points out, and asked with its uncertainty.

With K the covariance of the design, ν the ratio of the noise to the surface and A = K + νI, for values centred on
their mean (Rasmussen and Williams 2006, equations 2.25, 2.26, 5.12):

    mean(w) = k(w)ᵀ A⁻¹ y          cov(w, v) = s² (k(w, v) - k(w)ᵀ A⁻¹ k(v))         s² = yᵀ A⁻¹ y / (D - 1)
    left out: y_i - μ_i = (A⁻¹ y)_i / (A⁻¹)_ii          σ_i² = s² / (A⁻¹)_ii

Of each kind the covariance with the highest marginal likelihood is taken (their equation 5.8), and of the two kinds
the one that misses what was left out by less. That it is then taken for certain makes intervals somewhat too narrow.
"""

# W weights, D design points, K utilities

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from reward_llm.loop.surface.kernel import PROCESSES, QUADRATICS, Kernel, KernelConfig
from reward_llm.loop.surface.region import FloatArray

_SMALLEST: Final = 1e-12
_95: Final = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """How well a kind tells points that it wasn't fitted to: in the metric's unit, and as a share."""

    kernel: KernelConfig
    error: float
    """Root mean square of the misses."""
    covered: float
    """Share of the points within their 95 % interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """What is expected of weights, and of others beside them."""

    mean_W: FloatArray
    variance_W: FloatArray
    reference: float
    reference_variance: float
    covariance_W: FloatArray

    def difference(self, share: float) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of m(w) - share · m(reference)."""
        mean_W = self.mean_W - share * self.reference
        variance_W = self.variance_W - 2 * share * self.covariance_W + share**2 * self.reference_variance
        return mean_W, np.maximum(variance_W, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A metric over weights.

    `level_variance` is that of what all points share, such as the markets that they were simulated in: it is part of
    what is expected of weights, and not of the difference between two.
    """

    kernel: Kernel
    design_DK: FloatArray
    inverse_DD: FloatArray
    """A⁻¹."""
    alpha_D: FloatArray
    """A⁻¹ y."""
    mean: float
    scale: float
    """s²."""
    level_variance: float

    @classmethod
    def of(cls, kernel: KernelConfig, design_DK: FloatArray, value_D: FloatArray, error_D: FloatArray) -> Fit:
        """Fit a covariance to what was measured.

        Args:
            kernel: The covariance.
            design_DK: What was tried.
            value_D: The metric's means.
            error_D: Their standard errors; 0 where they are exact.
        """
        made = Kernel.of(kernel, design_DK)
        mean = float(value_D.mean())
        centred_D = value_D - mean
        inverse_DD = np.asarray(
            np.linalg.inv(made.between(design_DK, design_DK) + kernel.noise * np.eye(len(value_D))), dtype=np.float64
        )
        alpha_D = inverse_DD @ centred_D
        scale = max(float(centred_D @ alpha_D) / (len(value_D) - 1), _SMALLEST)
        shared = float((error_D**2).mean()) - kernel.noise * scale
        return cls(
            kernel=made,
            design_DK=design_DK,
            inverse_DD=inverse_DD,
            alpha_D=alpha_D,
            mean=mean,
            scale=scale,
            level_variance=max(shared, 0.0),
        )

    @property
    def noise(self) -> float:
        """The noise's standard deviation."""
        return math.sqrt(self.kernel.config.noise * self.scale)

    def moments(self, weights_WK: FloatArray, reference_K: FloatArray) -> Moments:
        """What is expected of the weights, and of the reference, with how they vary together; no level in it."""
        reference_1K = reference_K[None]
        near_WD = self.kernel.between(weights_WK, self.design_DK)
        near_1D = self.kernel.between(reference_1K, self.design_DK)
        solved_WD = near_WD @ self.inverse_DD
        variance_W = self.kernel.variance(weights_WK) - (solved_WD * near_WD).sum(-1)
        covariance_W = self.kernel.between(weights_WK, reference_1K)[:, 0] - solved_WD @ near_1D[0]
        variance = float(self.kernel.variance(reference_1K)[0] - near_1D[0] @ self.inverse_DD @ near_1D[0])
        return Moments(
            mean_W=self.mean + near_WD @ self.alpha_D,
            variance_W=self.scale * np.maximum(variance_W, 0.0),
            reference=self.mean + float(near_1D[0] @ self.alpha_D),
            reference_variance=self.scale * max(variance, 0.0),
            covariance_W=self.scale * covariance_W,
        )

    def mean_of(self, weights_WK: FloatArray) -> FloatArray:
        """What is expected of the weights."""
        return np.asarray(self.mean + self.kernel.between(weights_WK, self.design_DK) @ self.alpha_D)

    def left_out(self) -> LeftOut:
        """How well it tells each point from the others."""
        miss_D, variance_D = self._misses()
        return LeftOut(
            kernel=self.kernel.config,
            error=float(np.sqrt((miss_D**2).mean())),
            covered=float((np.abs(miss_D) <= _95 * np.sqrt(variance_D)).mean()),
        )

    def evidence(self) -> float:
        """The logarithm of the marginal likelihood at the best s², up to a constant."""
        _, determinant = np.linalg.slogdet(self.inverse_DD)
        return float(0.5 * (determinant - (len(self.alpha_D) - 1) * math.log(self.scale)))

    def _misses(self) -> tuple[FloatArray, FloatArray]:
        own_D = np.diag(self.inverse_DD)
        return self.alpha_D / own_D, self.scale / own_D


def best_of(kernels: Sequence[KernelConfig], design_DK: FloatArray, value_D: FloatArray, error_D: FloatArray) -> Fit:
    """The fit with the highest marginal likelihood."""
    return max((Fit.of(kernel, design_DK, value_D, error_D) for kernel in kernels), key=Fit.evidence)


def fitted(design_DK: FloatArray, value_D: FloatArray, error_D: FloatArray) -> tuple[Fit, tuple[LeftOut, LeftOut]]:
    """The kind that misses by less, and how well both do: the quadratic, and the process."""
    both = [best_of(kernels, design_DK, value_D, error_D) for kernels in (QUADRATICS, PROCESSES)]
    quadratic, process = (fit.left_out() for fit in both)
    return both[process.error < quadratic.error], (quadratic, process)
