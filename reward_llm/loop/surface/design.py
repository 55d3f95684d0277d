"""Which weights to try, so that a surface knows all of the region."""

# W weights, D design points, K utilities

from __future__ import annotations

from typing import Final

import numpy as np

from reward_llm.domain.scenario import Scenario
from reward_llm.domain.weights import Weights
from reward_llm.loop.surface.region import FloatArray, Region

_TRIED: Final = 4_000
_NO_LIMIT: Final = 2.0


def design(scenario: Scenario, count: int, *, seed: int = 0) -> tuple[Weights, ...]:
    """The defaults, and weights as far from each other as they go: half within a step of the defaults, half anywhere.

    Each next point is the one whose nearest neighbour is farthest (Kennard and Stone 1969), among many drawn ones.
    """
    generator = np.random.default_rng(seed)
    defaults = scenario.defaults
    chosen_DK = np.array([[defaults[name] for name in scenario.utility_names]])
    for radius, until in ((None, (count + 2) // 2), (_NO_LIMIT, count)):
        pool_WK = Region.of(scenario, defaults, radius).drawn(_TRIED, generator)
        chosen_DK = _spread(chosen_DK, pool_WK, until)
    return tuple(Weights.rounded(dict(zip(scenario.utility_names, row, strict=True))) for row in chosen_DK.tolist())


def _spread(chosen_DK: FloatArray, pool_WK: FloatArray, count: int) -> FloatArray:
    distance_W = np.min(np.linalg.norm(pool_WK[:, None] - chosen_DK[None], axis=-1), axis=1)
    while len(chosen_DK) < count:
        new_K = pool_WK[int(distance_W.argmax())]
        chosen_DK = np.concatenate([chosen_DK, new_K[None]])
        distance_W = np.minimum(distance_W, np.linalg.norm(pool_WK - new_K, axis=-1))
    return chosen_DK
