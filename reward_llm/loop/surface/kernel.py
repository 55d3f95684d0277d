"""The two kinds of surface, as covariances between weights.

A quadratic with a ridge is the Gaussian process whose covariance is the product of its terms (Rasmussen and Williams
2006, section 2.1.2), so both are fitted, judged and asked in one way:

    quadratic   k(w, v) = Σ_j z_j(w) z_j(v)                      z: w_i and w_i w_j (i < j), each standardised
    process     k(w, v) = exp(-|x - y|² / 2ℓ²) + a · x · y        x, y: w and v, each utility standardised

On the simplex Σw = 1, so the quadratic has no squares (Scheffé 1958, "Experiments with mixtures"). A large constant
is added to both, which leaves the level of a metric to what was measured.
"""

# W, V weights, D design points, K utilities, F terms

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from reward_llm.loop.surface.region import FloatArray

Kind = Literal["quadratic", "process"]
_SMALLEST: Final = 1e-9
_LEVEL: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelConfig:
    """One covariance. `noise` is the variance of the noise over that of the surface.

    `length` is ℓ, in standard deviations of the design, and `linear` is a; a quadratic has neither.
    """

    kind: Kind
    noise: float
    length: float = 0.0
    linear: float = 0.0


QUADRATICS: Final = tuple(KernelConfig(kind="quadratic", noise=noise) for noise in np.geomspace(0.01, 1_000, 16))
"""Ridges to choose from: `noise` is the ridge on standardised terms."""
PROCESSES: Final = tuple(
    KernelConfig(kind="process", noise=noise, length=length, linear=linear)
    for noise in (1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 1.0)
    for length in (1.0, 2.0, 3.0, 5.0, 8.0)
    for linear in (0.0, 0.3, 3.0)
)


@dataclass(frozen=True, slots=True)
class Kernel:
    """A covariance, standardised over a design."""

    config: KernelConfig
    mean_F: FloatArray
    spread_F: FloatArray

    @classmethod
    def of(cls, config: KernelConfig, design_DK: FloatArray) -> Kernel:
        """The covariance whose terms have mean 0 and variance 1 over the design."""
        terms_DF = _terms(config.kind, design_DK)
        return cls(config, terms_DF.mean(0), np.maximum(terms_DF.std(0), _SMALLEST))

    def between(self, one_WK: FloatArray, other_VK: FloatArray) -> FloatArray:
        """Covariances of all pairs, as `(W, V)`."""
        one_WF, other_VF = self._standard(one_WK), self._standard(other_VK)
        product_WV: FloatArray = one_WF @ other_VF.T
        if self.config.kind == "quadratic":
            return np.asarray(_LEVEL + product_WV)
        norm_WV = (one_WF**2).sum(-1)[:, None] + (other_VF**2).sum(-1)
        near_WV = np.exp(-np.maximum(norm_WV - 2 * product_WV, 0.0) / (2 * self.config.length**2))
        return np.asarray(_LEVEL + near_WV + self.config.linear * product_WV)

    def variance(self, weights_WK: FloatArray) -> FloatArray:
        """Covariances of each with itself, as `(W,)`."""
        square_W: FloatArray = (self._standard(weights_WK) ** 2).sum(-1)
        own_W = square_W if self.config.kind == "quadratic" else 1 + self.config.linear * square_W
        return np.asarray(_LEVEL + own_W)

    def _standard(self, weights_WK: FloatArray) -> FloatArray:
        return np.asarray((_terms(self.config.kind, weights_WK) - self.mean_F) / self.spread_F)


def _terms(kind: Kind, weights_WK: FloatArray) -> FloatArray:
    if kind == "process":
        return weights_WK
    first, second = np.triu_indices(weights_WK.shape[-1], k=1)
    return np.concatenate([weights_WK, weights_WK[:, first] * weights_WK[:, second]], axis=-1)
