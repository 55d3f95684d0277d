"""Surfaces of metrics that are known in closed form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reward_llm.domain.what_if import Expected
from reward_llm.loop.surface.design import design
from reward_llm.loop.surface.surface import Surface
from tests.strategies import HOME_FEED

Metric = Callable[[Mapping[str, float]], float]

METRICS: dict[str, Metric] = {
    "gmv": lambda w: 100 * (1 + 2 * w["gmv"] - 3 * (w["gmv"] - 0.3) ** 2 + w["diversity"]),
    "next_day_retention": lambda w: 0.5 + 0.3 * w["retention"] + 0.2 * w["diversity"] - 0.1 * w["gmv"],
    "ctr": lambda w: 0.05 + 0.1 * w["click"] - 0.02 * w["cold_start"],
    "cold_start_success": lambda w: 0.2 + w["cold_start"] * (1 - w["cold_start"]),
}


@dataclass(frozen=True)
class ClosedForm:
    """What weights bring, exactly or with noise."""

    noise: float = 0.0
    error: float = 0.0
    name: str = "simulator"
    metrics: Sequence[str] = tuple(METRICS)

    def expected(self, weights: Sequence[Mapping[str, float]], *, seed: int = 0) -> Sequence[Mapping[str, Expected]]:
        """Every metric of every weights, with noise that is a share of the value."""
        generator = np.random.default_rng(seed)
        return [
            {
                name: Expected(mean=value(w) * (1 + self.noise * generator.standard_normal()), error=self.error)
                for name, value in METRICS.items()
            }
            for w in weights
        ]


def surface(what_if: ClosedForm | None = None, points: int = 40, seed: int = 1) -> Surface:
    """A surface of them over the scenario that ships."""
    return Surface.ask(HOME_FEED, what_if or ClosedForm(), design(HOME_FEED, points), seed=seed, made_of={"users": 5})
