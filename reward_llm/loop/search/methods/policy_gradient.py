"""A policy gradient over points: REINFORCE (Williams 1992) with a Gaussian policy that knows the preference.

    preference λ over the objectives, by chance ─► mean W·(1, λ), step sizes σ ─► z ~ N ─► point = sigmoid(z)

So one policy learns the whole front. The reward of a point under λ is Σ λ_i v_i of the objectives, scaled to what was
seen of them, less its violation; its baseline is the mean reward of the batch under the same λ. The step is along the
natural gradient of the Gaussian (Kakade 2001), which doesn't depend on σ's size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from reward_llm.loop.search.searcher import Point, Task

_BATCH: Final = 8
_RATE: Final = 0.6
_RATE_OF_SPREAD: Final = 0.1
_FIRST_SPREAD: Final = 1.2
"""Of z: wide enough that the first points lie all over the cube."""
_SMALLEST_SPREAD: Final = 0.3
_PENALTY: Final = 5.0
"""What a violation of 1 costs, in spreads of an objective."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Drawn:
    z: Floats
    features: Floats


class PolicyGradient:
    """Learns after every batch."""

    def __init__(self, task: Task) -> None:
        self._generator = np.random.default_rng(task.seed)
        self._objectives = task.objectives
        self._policy = np.zeros((task.dimensions, 1 + task.objectives))
        self._spread = np.full(task.dimensions, _FIRST_SPREAD)
        self._asked: dict[Point, _Drawn] = {}
        self._batch: list[tuple[_Drawn, Floats, float]] = []
        self._seen: list[Floats] = []

    def ask(self, count: int) -> list[Point]:
        """The next points to try."""
        return [self._draw() for _ in range(count)]

    def tell(self, points: Sequence[Point], values: Sequence[Sequence[float]], violations: Sequence[float]) -> None:
        """Take what came of points; those that weren't drawn from the policy only tell of the objectives' scale."""
        for point, value, violation in zip(points, values, violations, strict=True):
            drawn = self._asked.pop(point, None)
            self._seen.append(np.asarray(value, dtype=np.float64))
            if drawn is not None:
                self._batch.append((drawn, self._seen[-1], min(violation, 1.0)))
            if len(self._batch) >= _BATCH:
                self._learn()

    def _draw(self) -> Point:
        preference = self._generator.dirichlet(np.ones(self._objectives))
        features = np.append(1.0, preference)
        z = self._policy @ features + self._spread * self._generator.standard_normal(len(self._spread))
        point = tuple(map(float, 1 / (1 + np.exp(-z))))
        self._asked[point] = _Drawn(z, features)
        return point

    def _learn(self) -> None:
        """One step along the natural gradient of E[advantage · log π(z)]."""
        z = np.array([drawn.z for drawn, _, _ in self._batch])
        features = np.array([drawn.features for drawn, _, _ in self._batch])
        advantage = self._advantages(features[:, 1:])
        away = z - features @ self._policy.T
        length = (features**2).sum(axis=1, keepdims=True)
        self._policy += _RATE * (advantage[:, None] * away).T @ (features / length) / len(z)
        narrower = (advantage[:, None] * ((away / self._spread) ** 2 - 1)).mean(axis=0) / 2
        self._spread = np.maximum(self._spread * np.exp(_RATE_OF_SPREAD * narrower), _SMALLEST_SPREAD)
        self._batch = []

    def _advantages(self, preferences: Floats) -> Floats:
        """Each point's reward over the batch's mean under its own preference, in standard deviations."""
        seen = np.array(self._seen)
        low, high = seen.min(axis=0), seen.max(axis=0)
        value = (np.array([v for _, v, _ in self._batch]) - low) / np.where(high > low, high - low, 1.0)
        penalty = _PENALTY * np.array([violation for _, _, violation in self._batch])
        reward = preferences @ value.T - penalty[None]
        advantage = np.diagonal(reward) - reward.mean(axis=1)
        spread = advantage.std()
        return advantage / spread if spread > 0 else np.zeros_like(advantage)
