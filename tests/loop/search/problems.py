"""Problems whose answers are known, and a scenario to search them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from reward_llm.domain.searching import Constraint, Evaluator, SearchMethod, SearchPlan
from reward_llm.domain.what_if import Expected
from tests.strategies import HOME_FEED

IN_FORCE = dict(HOME_FEED.defaults)


@dataclass
class Tradeoff:
    """Clicks grow with the root of their weight, money with that of its own, and variety falls with both.

    `noise` is the standard deviation of what a seed adds to each metric, the same for all weights of a seed and half
    of it for each by themselves.
    """

    noise: float = 0.0
    asked: list[tuple[Mapping[str, float], int]] = field(default_factory=list)
    name: str = "tradeoff"
    metrics: Sequence[str] = ("ctr", "gmv", "variety")

    def expected(self, weights: Sequence[Mapping[str, float]], *, seed: int = 0) -> Sequence[Mapping[str, Expected]]:
        self.asked += [(dict(one), seed) for one in weights]
        return [self._one(one, seed) for one in weights]

    def _one(self, weights: Mapping[str, float], seed: int) -> Mapping[str, Expected]:
        alone = [seed, *(round(value * 10_000) for value in weights.values())]
        common = np.random.default_rng(seed).standard_normal(3)
        own = np.random.default_rng(alone).standard_normal(3)
        click, gmv = weights["click"], weights["gmv"]
        means = (click**0.5, gmv**0.5, 1.0 - click - gmv)
        return {
            metric: Expected(mean=mean + self.noise * (c + 0.5 * o))
            for metric, mean, c, o in zip(self.metrics, means, common, own, strict=True)
        }


def plan(**changes: object) -> SearchPlan:
    values: dict[str, object] = {
        "scenario": "home_feed",
        "segment": None,
        "in_force": IN_FORCE,
        "in_force_policy": "pol_in_force",
        "evaluator": Evaluator(),
        "method": SearchMethod.RANDOM,
        "objectives": ("ctr", "gmv"),
        "constraints": (Constraint(metric="variety", least=0.9, relative=True),),
        "budget": 24,
        "finalists": 3,
        "final_evaluations": 12,
    }
    return SearchPlan(**{**values, **changes})  # type: ignore[arg-type]
