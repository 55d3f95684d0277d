"""How sure a surface is that weights meet what is demanded.

With m the metric, w the weights and v those in force, each demand asks that a difference g isn't below 0:

    absolute      g = m(w) - value
    relative      g = m(w) - value · m(v)
    difference    g = m(w) - m(v) - value

Its mean μ and standard deviation σ are the surface's; where w and v are compared, what they share cancels out.
For a demand of at most so much, g has the other sign.
"""

# W weights, C demands, K utilities

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Final

import numpy as np

from reward_llm.domain.preview import Interval
from reward_llm.domain.solving import Answer, Basis, Demand, Judged
from reward_llm.domain.weights import Weights
from reward_llm.loop.surface.region import FloatArray
from reward_llm.loop.surface.surface import Surface

CONFIDENCE: Final = 0.95
_EXACT: Final = 1e-6
"""The least standard deviation that counts, as a share of the metric's spread over the design."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The demands of one goal on one surface, from weights in force."""

    surface: Surface
    demands: Sequence[Demand]
    objectives: Mapping[str, float]
    active: Weights
    prior: Weights

    @cached_property
    def active_K(self) -> FloatArray:
        """The weights in force."""
        return self.vector(self.active)

    @cached_property
    def prior_K(self) -> FloatArray:
        """The proposal's weights."""
        return self.vector(self.prior)

    def vector(self, weights: Mapping[str, float]) -> FloatArray:
        """The weights in the surface's order."""
        return np.array([weights[name] for name in self.surface.utilities], dtype=np.float64)

    def standing(self, weights_WK: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of every demand's g, each as `(C, W)`."""
        found = [self._gap(demand, weights_WK) for demand in self.demands]
        shape = (len(self.demands), len(weights_WK))
        mean_CW = np.array([mean for mean, _ in found]).reshape(shape)
        deviation_CW = np.array([deviation for _, deviation in found]).reshape(shape)
        return mean_CW, deviation_CW

    def gain(self, weights_WK: FloatArray, caution: float) -> FloatArray:
        """The objectives against the weights in force, in spreads of their metrics, less so many deviations."""
        gain_W = np.zeros(len(weights_WK))
        for metric, strength in self.objectives.items():
            moments = self.surface.moments(metric, weights_WK, self.active_K)
            mean_W, variance_W = moments.difference(1.0)
            spread = self.surface.spread(metric) / self._factor(metric)
            gain_W += (strength * mean_W - abs(strength) * caution * np.sqrt(variance_W)) / spread
        return gain_W

    def bound(self, demand: Demand) -> float:
        """The metric's value that a demand comes to."""
        if demand.basis is Basis.ABSOLUTE:
            return demand.value
        now = self._now(demand.metric)
        return demand.value * now if demand.basis is Basis.RELATIVE else now + demand.value

    def answer(self, weights: Weights) -> Answer:
        """What is expected of weights, and how they stand to every demand."""
        mean_CW, deviation_CW = self.standing(self.vector(weights)[None])
        judged = [
            Judged(demand=demand, bound=self.bound(demand), chance=NormalDist().cdf(mean / deviation), met=mean >= 0)
            for demand, mean, deviation in zip(
                self.demands, mean_CW[:, 0].tolist(), deviation_CW[:, 0].tolist(), strict=True
            )
        ]
        return Answer(weights=weights, metrics=self.expected(weights), judged=tuple(judged))

    def expected(self, weights: Mapping[str, float]) -> dict[str, Interval]:
        """Every metric with its interval."""
        reach = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
        found = self.surface.predict(weights)
        return {
            name: Interval(mean=e.mean, low=e.mean - reach * e.error, high=e.mean + reach * e.error)
            for name, e in found.items()
        }

    def _now(self, metric: str) -> float:
        return self._factor(metric) * float(self.surface.fits[metric].mean_of(self.active_K[None])[0])

    def _factor(self, metric: str) -> float:
        return self.surface.factors.get(metric, 1.0)

    def _gap(self, demand: Demand, weights_WK: FloatArray) -> tuple[FloatArray, FloatArray]:
        factor, fit = self._factor(demand.metric), self.surface.fits[demand.metric]
        moments = fit.moments(weights_WK, self.active_K)
        share = {Basis.ABSOLUTE: 0.0, Basis.RELATIVE: demand.value, Basis.DIFFERENCE: 1.0}[demand.basis]
        mean_W, variance_W = moments.difference(share)
        mean_W = factor * mean_W - (0.0 if demand.basis is Basis.RELATIVE else demand.value)
        deviation_W = factor * np.sqrt(variance_W + (1 - share) ** 2 * fit.level_variance)
        sign = -1.0 if demand.at_most else 1.0
        return sign * mean_W, np.maximum(deviation_W, _EXACT * self.surface.spread(demand.metric))
