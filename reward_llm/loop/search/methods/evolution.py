"""An evolution strategy for several objectives: as many (1+1) strategies as parents, which live together.

Each parent makes a child by a step of its own size; of parents and children the best live on, by non-dominated layers
and crowding. The step size of who succeeds grows and that of who doesn't shrinks, towards a fifth of successes or so
(Igel, Hansen and Roth 2007, without the covariances).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from reward_llm.loop.search.pareto import best_first
from reward_llm.loop.search.searcher import Point, Task

_PARENTS: Final = 5
_FIRST_STEP: Final = 0.15
_SMALLEST_STEP: Final = 0.01
_LARGEST_STEP: Final = 0.5
_SUCCESSES: Final = 1 / 5.5
"""The share of successes at which a step size stays as it is."""


@dataclass(frozen=True, slots=True)
class _Individual:
    point: Point
    step: float
    value: tuple[float, ...] = ()
    violation: float = 0.0
    parent: Point | None = None


class Evolution:
    """Begins with points by chance, one in each of so many slices of every dimension (McKay et al. 1979)."""

    def __init__(self, task: Task) -> None:
        self._generator = np.random.default_rng(task.seed)
        self._dimensions = task.dimensions
        self._damping = 1 + task.dimensions / 2
        self._parents: list[_Individual] = []
        self._born: list[_Individual] = []
        self._asked: dict[Point, _Individual] = {}
        self._turn = 0
        slices = np.array([self._generator.permutation(_PARENTS) for _ in range(task.dimensions)]).T
        first = (slices + self._generator.random(slices.shape)) / _PARENTS
        self._first = [tuple(map(float, row)) for row in first]

    def ask(self, count: int) -> list[Point]:
        """The next points to try."""
        made = [self._next() for _ in range(count)]
        self._asked |= {one.point: one for one in made}
        return [one.point for one in made]

    def tell(self, points: Sequence[Point], values: Sequence[Sequence[float]], violations: Sequence[float]) -> None:
        """Take what came of points; once as many are born as there are parents, the best of all live on."""
        for point, value, violation in zip(points, values, violations, strict=True):
            known = self._asked.pop(point, _Individual(point, _FIRST_STEP))
            self._born.append(replace(known, value=tuple(value), violation=violation))
            if len(self._born) >= _PARENTS:
                self._select()

    def _next(self) -> _Individual:
        if self._first:
            return _Individual(self._first.pop(), _FIRST_STEP)
        if not self._parents:
            return _Individual(tuple(map(float, self._generator.random(self._dimensions))), _FIRST_STEP)
        parent = self._parents[self._turn % len(self._parents)]
        self._turn += 1
        moved = np.asarray(parent.point) + parent.step * self._generator.standard_normal(len(parent.point))
        return _Individual(_reflected(moved), parent.step, parent=parent.point)

    def _select(self) -> None:
        everybody = [*self._parents, *self._born]
        order = best_first([one.value for one in everybody], [one.violation for one in everybody])
        living = set(order[:_PARENTS])
        succeeded: dict[Point, list[bool]] = {}
        for place, one in enumerate(everybody[len(self._parents) :], len(self._parents)):
            if one.parent is not None:
                succeeded.setdefault(one.parent, []).append(place in living)
        self._parents = [self._adapted(everybody[place], place in living, succeeded) for place in order[:_PARENTS]]
        self._born = []

    def _adapted(self, one: _Individual, lives: bool, succeeded: dict[Point, list[bool]]) -> _Individual:
        outcomes = succeeded.get(one.point, []) + ([lives] if one.parent is not None else [])
        if not outcomes:
            return replace(one, parent=None)
        rate = sum(outcomes) / len(outcomes)
        factor = math.exp((rate - _SUCCESSES) / (1 - _SUCCESSES) / self._damping)
        step = min(max(one.step * factor, _SMALLEST_STEP), _LARGEST_STEP)
        return replace(one, step=step, parent=None)


def _reflected(point: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Point:
    """The point with what is beyond the cube's walls thrown back from them."""
    folded = np.abs(np.remainder(point + 1, 2.0) - 1)
    return tuple(map(float, folded))
