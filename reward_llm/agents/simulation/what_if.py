"""The simulated market as something that can be asked what weights would bring."""

# W weights, S seeds

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from reward_llm.agents.simulation.months import Month
from reward_llm.agents.simulation.run import Life, known_weights, market_of
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.simulation import OUTCOME_FACTS, Outcome, RecommenderName, market_concepts
from reward_llm.domain.what_if import Expected

MEASURED: Final = tuple(outcome for outcome in Outcome if OUTCOME_FACTS[outcome].better == "higher")
"""Outcomes of which more is better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedWhatIf:
    """Has one recommender live through the same seeds under each of the weights.

    `users`, `days` and `seeds` say how much is simulated for each of them; `on_month` is told after each month.
    """

    scenario: Scenario
    recommender: RecommenderName = RecommenderName.MARKETPLACE
    users: int = 200
    days: int = 10
    seeds: int = 4
    on_month: Callable[[], None] | None = None

    @property
    def name(self) -> str:
        """What it is called in reports."""
        return "simulator"

    @property
    def metrics(self) -> Sequence[str]:
        """What a month is judged by, as far as more is better."""
        return tuple(outcome.value for outcome in MEASURED)

    def expected(self, weights: Sequence[Mapping[str, float]], *, seed: int = 0) -> Sequence[Mapping[str, Expected]]:
        """The mean of every outcome over the seeds from `seed` on, with the standard error of that mean.

        All weights live through the same seeds (common random numbers), so that they differ by less than these errors
        say. An outcome that no seed could measure is left out.

        Raises:
            WeightsInvalid: If the market knows none of the utilities that have a weight.
        """
        return [self._expected(one, range(seed, seed + self.seeds)) for one in weights]

    def _expected(self, weights: Mapping[str, float], seeds: Iterable[int]) -> dict[str, Expected]:
        months = [self._month(weights, seed) for seed in seeds]
        found = {outcome.value: _mean([month.whole[outcome] for month in months]) for outcome in MEASURED}
        return {name: one for name, one in found.items() if one is not None}

    def _month(self, weights: Mapping[str, float], seed: int) -> Month:
        concepts = market_concepts(self.scenario)
        known = known_weights({concepts[name]: weight for name, weight in weights.items()})
        month = Life("", market_of(self.users, self.days), self.recommender, dict(known), seed).month()
        if self.on_month:
            self.on_month()
        return month


def _mean(values: Sequence[float]) -> Expected | None:
    """The mean of what could be measured; of a single value there is no error."""
    value_S = np.array([value for value in values if math.isfinite(value)], dtype=np.float64)
    if not len(value_S):
        return None
    spread = float(value_S.std(ddof=1)) if len(value_S) > 1 else 0.0
    return Expected(mean=float(value_S.mean()), error=spread / math.sqrt(len(value_S)))
