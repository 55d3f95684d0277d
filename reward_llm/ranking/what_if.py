"""The re-ranker on logged requests as something that can be asked what weights would bring."""

# B requests

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from reward_llm.domain.ranking import measured
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.what_if import Expected
from reward_llm.ranking.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class RankerWhatIf:
    """Has the ranker fill the same logged requests' slates under each of the weights.

    `requests` is how many are drawn from the log; `on_weights` is told after each of the weights.
    """

    scenario: Scenario
    engine: Engine
    requests: int = 200
    on_weights: Callable[[], None] | None = None

    @property
    def name(self) -> str:
        """What it is called in reports."""
        return "ranker"

    @property
    def metrics(self) -> Sequence[str]:
        """The utilities that the ranker measures, by the scenario's names."""
        return tuple(measured(self.scenario, self.engine.utilities))

    def expected(self, weights: Sequence[Mapping[str, float]], *, seed: int = 0) -> Sequence[Mapping[str, Expected]]:
        """The mean of every utility over the requests, as the evaluator expects it, with its standard error.

        The seed says which requests are drawn; all weights get the same ones.

        Raises:
            WeightsInvalid: If the ranker measures none of the utilities that have a weight.
            RankerUnavailable: If the log can't be used.
        """
        return [self._expected(one, seed) for one in weights]

    def _expected(self, weights: Mapping[str, float], seed: int) -> dict[str, Expected]:
        value_B = self.engine.values(self.scenario, weights, requests=self.requests, seed=seed)
        if self.on_weights:
            self.on_weights()
        return {name: _mean(values) for name, values in value_B.items()}


def _mean(value_B: Sequence[float]) -> Expected:
    error = stdev(value_B) / math.sqrt(len(value_B)) if len(value_B) > 1 else 0.0
    return Expected(mean=fmean(value_B), error=error)
