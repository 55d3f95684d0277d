"""The weights that a scenario allows: within bounds, together 1, and not too far from others."""

# W weights, K utilities

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from reward_llm.domain.scenario import Scenario, Utility

FloatArray = npt.NDArray[np.float64]

_MIXED: Final = 3
"""Extreme points that a point inside is a mixture of."""
_TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A convex set of weights: low ≤ w ≤ high, Σw = 1, and Σ|w - centre| ≤ radius.

    `centre` is within the bounds itself, or as near as what is in force may be.
    """

    low_K: FloatArray
    high_K: FloatArray
    centre_K: FloatArray
    radius: float = 2.0

    @classmethod
    def of(cls, scenario: Scenario, centre: Mapping[str, float], radius: float | None = None) -> Region:
        """What the gate lets through from weights in force.

        Held utilities don't fall below their floor, or below what they have if that is less.

        Args:
            scenario: Gives bounds, floors and the largest step.
            centre: The weights in force.
            radius: The largest step; None for the scenario's.
        """
        held = scenario.guardrails.held
        return cls(
            low_K=np.array([_least(u, centre[u.name], u.name in held) for u in scenario.utilities]),
            high_K=np.array([u.bounds.max for u in scenario.utilities]),
            centre_K=np.array([centre[name] for name in scenario.utility_names], dtype=np.float64),
            radius=scenario.guardrails.max_step if radius is None else radius,
        )

    def contains(self, weights_WK: FloatArray) -> npt.NDArray[np.bool_]:
        """Which of the weights are in it, as `(W,)`."""
        inside_W = (weights_WK >= self.low_K - _TOLERANCE).all(-1) & (weights_WK <= self.high_K + _TOLERANCE).all(-1)
        near_W = np.abs(weights_WK - self.centre_K).sum(-1) <= self.radius + _TOLERANCE
        whole_W = np.abs(weights_WK.sum(-1) - 1) <= _TOLERANCE
        found: npt.NDArray[np.bool_] = inside_W & near_W & whole_W
        return found

    def drawn(self, count: int, generator: np.random.Generator) -> FloatArray:
        """Weights all over the region, half of them on its border."""
        extreme_WK = self._extremes(count - count // 2, generator)
        share_WE = generator.dirichlet(np.ones(_MIXED), count // 2)
        place_WE = generator.integers(len(extreme_WK), size=share_WE.shape)
        inside_WK = np.einsum("we,wek->wk", share_WE, extreme_WK[place_WE])
        return np.concatenate([extreme_WK, inside_WK])

    def pulled(self, weights_WK: FloatArray) -> FloatArray:
        """Weights that are too far from the centre, drawn back to it on a straight line."""
        distance_W1 = np.abs(weights_WK - self.centre_K).sum(-1, keepdims=True)
        share_W1 = np.minimum(1.0, self.radius / np.maximum(distance_W1, _TOLERANCE))
        return np.asarray(self.centre_K + share_W1 * (weights_WK - self.centre_K))

    def _extremes(self, count: int, generator: np.random.Generator) -> FloatArray:
        """Corners of the bounds on the simplex, each utility filled up in a random order, as far as one may go."""
        order_WK = generator.permuted(np.tile(np.arange(len(self.low_K)), (count, 1)), axis=1)
        room_WK = (self.high_K - self.low_K)[order_WK]
        before_WK = np.cumsum(room_WK, axis=1) - room_WK
        taken_WK = np.clip(1 - self.low_K.sum() - before_WK, 0, room_WK)
        weights_WK = np.tile(self.low_K, (count, 1))
        np.put_along_axis(weights_WK, order_WK, np.take_along_axis(weights_WK, order_WK, 1) + taken_WK, 1)
        return self.pulled(weights_WK)


def _least(utility: Utility, now: float, is_held: bool) -> float:
    return max(utility.bounds.min, min(utility.held_floor, now)) if is_held else utility.bounds.min
