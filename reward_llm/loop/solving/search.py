"""The best point of a region under conditions that are only known by asking, many points at once.

Many drawn points, then a pattern search from the best of them: moves of a step from one utility to another, in all
pairs, and half the step when none is better (Torczon 1997, "On the convergence of pattern search algorithms"). Of two
points the one that meets the conditions is better; of two that do, the one with the higher objective; of two that
don't, the one that comes nearer (Deb 2000, "An efficient constraint handling method for genetic algorithms").
"""

# W weights, S starts, M moves, K utilities

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from reward_llm.loop.surface.region import FloatArray, Region

Judge = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""Gives of `(W, K)` weights the objective and by how much the conditions are missed, 0 where they aren't."""

_FAR: Final = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchConfig:
    """How much is tried."""

    starts: int = 4
    """Points that the pattern search begins from."""
    first_step: float = 0.08
    last_step: float = 1e-3
    rounds: int = 40
    """At most, for all starts together."""


def merit(objective_W: FloatArray, missed_W: FloatArray) -> FloatArray:
    """One number to order points by, higher is better."""
    return np.where(missed_W > 0, -_FAR - np.minimum(missed_W, _FAR), objective_W)


def best(judge: Judge, region: Region, start_WK: FloatArray, config: SearchConfig) -> FloatArray:
    """The best weights of the region that the search finds, as `(K,)`; never worse than the best start."""
    order = np.argsort(-merit(*judge(start_WK)), kind="stable")
    at_SK = start_WK[order[: config.starts]]
    value_S = merit(*judge(at_SK))
    step_S = np.full(len(at_SK), config.first_step)
    for _ in range(config.rounds):
        move_SMK = _moves(at_SK, step_S, region)
        starts, moves, utilities = move_SMK.shape
        value_SM = merit(*judge(move_SMK.reshape(-1, utilities))).reshape(starts, moves)
        place_S = value_SM.argmax(axis=1)
        found_S = value_SM[np.arange(starts), place_S]
        better_S = found_S > value_S + 1e-12
        at_SK = np.where(better_S[:, None], move_SMK[np.arange(starts), place_S], at_SK)
        value_S = np.where(better_S, found_S, value_S)
        step_S = np.where(better_S, step_S, step_S / 2)
        if (step_S < config.last_step).all():
            break
    return np.asarray(at_SK[int(value_S.argmax())])


def _moves(at_SK: FloatArray, step_S: FloatArray, region: Region) -> FloatArray:
    """Every start with a step taken from each utility and given to each other one, as far as the region goes."""
    count = at_SK.shape[1]
    giver_M, taker_M = np.nonzero(~np.eye(count, dtype=np.bool_))
    room_SM = np.minimum((at_SK - region.low_K)[:, giver_M], (region.high_K - at_SK)[:, taker_M])
    moved_SM = np.clip(np.minimum(room_SM, step_S[:, None]), 0.0, None)
    move_SMK = np.repeat(at_SK[:, None], len(giver_M), axis=1)
    place_M = np.arange(len(giver_M))
    move_SMK[:, place_M, giver_M] -= moved_SM
    move_SMK[:, place_M, taker_M] += moved_SM
    return region.pulled(move_SMK)
