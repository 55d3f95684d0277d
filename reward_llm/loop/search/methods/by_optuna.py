"""Methods of Optuna (Akiba et al. 2019): tree-structured Parzen estimators, Gaussian processes and NSGA-II.

Constraints are told to the samplers, which prefer points that keep to them (Deb et al. 2002; for TPE and Gaussian
processes by the probability of keeping to them).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import optuna
from optuna.distributions import FloatDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, TPESampler
from optuna.trial import Trial, TrialState

from reward_llm.loop.search.searcher import Point, Task

_POPULATION: Final = 12
"""Of NSGA-II: small, so that a budget of dozens gives some generations."""
_VIOLATION: Final = "violation"


class ByOptuna:
    """A study of Optuna's in memory."""

    def __init__(self, task: Task, sampler: BaseSampler) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._study = optuna.create_study(directions=["maximize"] * task.objectives, sampler=sampler)
        self._space = {f"x{place}": FloatDistribution(0.0, 1.0) for place in range(task.dimensions)}
        self._asked: dict[Point, Trial] = {}

    def ask(self, count: int) -> list[Point]:
        """The next points to try."""
        points = []
        for _ in range(count):
            trial = self._study.ask(dict(self._space))
            point = tuple(float(trial.params[name]) for name in self._space)
            self._asked[point] = trial
            points.append(point)
        return points

    def tell(self, points: Sequence[Point], values: Sequence[Sequence[float]], violations: Sequence[float]) -> None:
        """Take what came of points."""
        for point, value, violation in zip(points, values, violations, strict=True):
            trial = self._asked.pop(point, None)
            if trial is None:
                self._add(point, value, violation)
                continue
            trial.set_constraint(_VIOLATION, float(violation))
            self._study.tell(trial, list(map(float, value)))

    def _add(self, point: Point, value: Sequence[float], violation: float) -> None:
        self._study.add_trial(
            optuna.trial.create_trial(
                state=TrialState.COMPLETE,
                params=dict(zip(self._space, point, strict=True)),
                distributions=dict(self._space),
                values=list(map(float, value)),
                system_attrs={f"constraints:{_VIOLATION}": float(violation)},
            )
        )


def tpe(task: Task) -> ByOptuna:
    """Tree-structured Parzen estimators (Bergstra et al. 2011; for several objectives Ozaki et al. 2022)."""
    return ByOptuna(task, TPESampler(seed=task.seed))


def gp(task: Task) -> ByOptuna:
    """Gaussian processes, which look for the most expected hypervolume (Daulton et al. 2020)."""
    return ByOptuna(task, GPSampler(seed=task.seed))


def nsga2(task: Task) -> ByOptuna:
    """NSGA-II (Deb et al. 2002)."""
    return ByOptuna(task, NSGAIISampler(seed=task.seed, population_size=_POPULATION))
