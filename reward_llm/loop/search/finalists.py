"""Which finalist is measured next: Thompson sampling (Thompson 1933; Russo et al. 2018).

Every finalist is measured on the seeds on which what is in force is, in the same order, and what counts is the
difference on the same seed. Each metric's difference has a normal posterior: its mean so far, with the variance that
all finalists have in common over the number of measurements. Whichever is best in one draw of everything is measured
next, so that the evaluations go to those that may be the best, and few to those that can't.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from reward_llm.domain.searching import FIRST_ROUNDS
from reward_llm.domain.what_if import Expected

Means = Mapping[str, float]
Best = Callable[[Sequence[Means]], int]
"""The place of the best of these metrics."""


@dataclass(slots=True)
class Contest:
    """What is in force, at place 0, and the finalists after it, with what was measured of each."""

    contestants: int
    metrics: Sequence[str]
    generator: np.random.Generator
    seen: list[dict[str, list[float]]] = field(init=False)
    """The metrics of what is in force, and by how much those of the others differ from it."""

    def __post_init__(self) -> None:
        self.seen = [{name: [] for name in self.metrics} for _ in range(self.contestants)]

    def next(self, best: Best) -> int:
        """Who is measured next: everybody has the first rounds, and what is in force goes before who is to follow."""
        counts = [self.evaluations(place) for place in range(self.contestants)]
        if min(counts) < FIRST_ROUNDS:
            return counts.index(min(counts))
        chosen = best([self._drawn(place) for place in range(self.contestants)])
        return chosen if counts[chosen] < counts[0] else 0

    def tell(self, place: int, metrics: Mapping[str, Expected]) -> None:
        """Take a measurement of one; a metric that couldn't be measured counts as its mean so far."""
        turn = self.evaluations(place)
        for name in self.metrics:
            value = metrics[name].mean if name in metrics else math.nan
            if place and math.isfinite(value):
                value -= self.seen[0][name][turn]
            self.seen[place][name].append(value if math.isfinite(value) else _mean(self.seen[place][name]))

    def evaluations(self, place: int) -> int:
        """How often one was measured."""
        return len(self.seen[place][self.metrics[0]])

    def expected(self, place: int) -> dict[str, Expected]:
        """What is known of one; the error of a finalist is that of its difference from what is in force."""
        return {
            name: Expected(mean=self._level(place, name), error=self._error(place, name)) for name in self.metrics
        }

    def _drawn(self, place: int) -> dict[str, float]:
        """One draw of the posterior; what is in force is what the others differ from, and stays."""
        return {
            name: self._level(place, name)
            + (self._error(place, name) * float(self.generator.standard_normal()) if place else 0.0)
            for name in self.metrics
        }

    def _level(self, place: int, name: str) -> float:
        level = _mean(self.seen[0][name])
        return level + _mean(self.seen[place][name]) if place else level

    def _error(self, place: int, name: str) -> float:
        alike = [self.seen[0]] if place == 0 else self.seen[1:]
        squares = degrees = 0.0
        for metrics in alike:
            mean = _mean(metrics[name])
            squares += math.fsum((value - mean) ** 2 for value in metrics[name])
            degrees += max(len(metrics[name]) - 1, 0)
        variance = squares / degrees if degrees else 0.0
        return math.sqrt(variance / max(self.evaluations(place), 1))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0
