"""What the other methods are measured against: points by chance, and points of a grid."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

import numpy as np

from reward_llm.loop.search.searcher import Point, Task

_LISTED: Final = 1_000_000
"""Cells that may be put in an order all together; of more of them, as many are drawn as the budget needs."""


class Random:
    """Points that are equally likely everywhere in the cube."""

    def __init__(self, task: Task) -> None:
        self._generator = np.random.default_rng(task.seed)
        self._dimensions = task.dimensions

    def ask(self, count: int) -> list[Point]:
        """The next points to try."""
        return [tuple(map(float, self._generator.random(self._dimensions))) for _ in range(count)]

    def tell(self, points: Sequence[Point], values: Sequence[Sequence[float]], violations: Sequence[float]) -> None:
        """Learn nothing."""


class Grid:
    """The middles of equal cells, as few as the budget needs, in an order by chance; then from the first again."""

    def __init__(self, task: Task) -> None:
        levels = 1
        while levels**task.dimensions < task.budget:
            levels += 1
        self._middles = [(level + 0.5) / levels for level in range(levels)]
        self._dimensions = task.dimensions
        generator, count = np.random.default_rng(task.seed), levels**task.dimensions
        many = count > _LISTED
        cells = generator.choice(count, task.budget, replace=False) if many else generator.permutation(count)
        self._cells = itertools.cycle(map(int, cells))

    def ask(self, count: int) -> list[Point]:
        """The next points to try."""
        return [self._middle(next(self._cells)) for _ in range(count)]

    def tell(self, points: Sequence[Point], values: Sequence[Sequence[float]], violations: Sequence[float]) -> None:
        """Learn nothing."""

    def _middle(self, cell: int) -> Point:
        levels = len(self._middles)
        return tuple(self._middles[cell // levels**place % levels] for place in range(self._dimensions))
