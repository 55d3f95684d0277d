"""How much of the space of objectives points dominate: exactly, by slicing objectives (While et al. 2006)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reward_llm.loop.search.pareto import Values


def hypervolume(values: Values, reference: Sequence[float]) -> float:
    """The volume that lies above the reference and below some point, in every objective; more is better.

    >>> hypervolume([[2.0, 1.0], [1.0, 2.0]], [0.0, 0.0])
    3.0
    """
    value = np.asarray(values, dtype=np.float64).reshape(-1, len(reference))
    above = value[(value > np.asarray(reference)).all(axis=1)] - np.asarray(reference)
    return _volume(above)


def contributions(values: Values, reference: Sequence[float]) -> list[float]:
    """By how much the hypervolume would be less without each point."""
    value = np.asarray(values, dtype=np.float64).reshape(-1, len(reference))
    whole = hypervolume(value, reference)
    return [whole - hypervolume(np.delete(value, place, axis=0), reference) for place in range(len(value))]


def _volume(above: npt.NDArray[np.float64]) -> float:
    if not len(above):
        return 0.0
    if above.shape[1] == 1:
        return float(above.max())
    if above.shape[1] == 2:
        return _area(above)
    order = above[np.argsort(-above[:, -1], kind="stable")]
    floors = np.append(order[1:, -1], 0.0)
    return sum(
        (float(top) - float(floor)) * _volume(order[: place + 1, :-1])
        for place, (top, floor) in enumerate(zip(order[:, -1], floors, strict=True))
        if top > floor
    )


def _area(above: npt.NDArray[np.float64]) -> float:
    order = above[np.argsort(-above[:, 0], kind="stable")]
    ceiling = np.maximum.accumulate(order[:, 1])
    rise = np.diff(ceiling, prepend=0.0)
    return float((order[:, 0] * rise).sum())
