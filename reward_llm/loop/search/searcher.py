"""The one interface of all methods: they ask for points of the unit cube, and are told what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Point = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is searched: a cube of so many dimensions, for objectives of which more is better."""

    dimensions: int
    objectives: int
    budget: int
    seed: int


class Searcher(Protocol):
    """Finds points to try.

    The same task, and the same points told in the same order, give the same points: that is how a study is gone on
    with. Points that it didn't ask for may be told as well, such as those that are in force.
    """

    def ask(self, count: int) -> list[Point]:
        """The next points to try."""
        ...

    def tell(self, points: Sequence[Point], values: Sequence[Sequence[float]], violations: Sequence[float]) -> None:
        """Take what came of points: their objectives, and by how much they break the constraints, 0 if they don't."""
        ...
