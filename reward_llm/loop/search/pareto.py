"""Which points no other one beats: those that keep to the constraints before those that don't (Deb et al. 2002)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Values = Sequence[Sequence[float]] | npt.NDArray[np.float64]


def front(values: Values, violations: Sequence[float]) -> list[int]:
    """The places of the points that none dominates, in their order.

    A point dominates another if it breaks the constraints by less, or, where neither breaks any, is nowhere worse and
    somewhere better. Of points that are the same, the first stands for all.

    >>> front([[1, 3], [2, 2], [1, 2], [9, 9]], [0, 0, 0, 0.5])
    [0, 1]
    """
    return [] if not len(values) else fronts(values, violations)[0]


def fronts(values: Values, violations: Sequence[float]) -> list[list[int]]:
    """All points in layers: the front, the front of what is left, and so on."""
    value = np.asarray(values, dtype=np.float64)
    violation = np.maximum(np.asarray(violations, dtype=np.float64), 0.0)
    beaten = _beaten(value, violation)
    left, layers = np.ones(len(value), dtype=bool), []
    while left.any():
        layer = left & ~(beaten & left[:, None]).any(axis=0)
        layers.append([int(place) for place in np.flatnonzero(layer)])
        left &= ~layer
    return layers


def best_first(values: Values, violations: Sequence[float]) -> list[int]:
    """The places of all points: by layer, and within a layer by crowding distance, the loneliest first."""
    value = np.asarray(values, dtype=np.float64)
    order: list[int] = []
    for layer in fronts(value, violations):
        crowding = _crowding(value[layer])
        order += [layer[place] for place in np.argsort(-crowding, kind="stable")]
    return order


def _beaten(value: npt.NDArray[np.float64], violation: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """[i, j]: whether i beats j."""
    nowhere_worse = (value[:, None] >= value[None]).all(axis=2)
    same = nowhere_worse & nowhere_worse.T
    earlier = np.arange(len(value))[:, None] < np.arange(len(value))[None]
    better = nowhere_worse & (~same | earlier)
    level = violation[:, None] == violation[None]
    beaten: npt.NDArray[np.bool_] = (violation[:, None] < violation[None]) | (level & better)
    return beaten


def _crowding(value: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How far the neighbours of each are apart, over all objectives; infinite at the ends (Deb et al. 2002)."""
    distance = np.zeros(len(value))
    for column in value.T:
        order = np.argsort(column, kind="stable")
        spread = column[order[-1]] - column[order[0]]
        distance[order[[0, -1]]] = np.inf
        if spread > 0:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / spread
    return distance
