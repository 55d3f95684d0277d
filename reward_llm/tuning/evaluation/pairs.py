"""Lines whose weights must hold to a relation."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from reward_llm.tuning.evaluation.verdict import EPSILON, Reading

PARAPHRASE_DISTANCE: Final = 0.25
"""The largest L1 distance between the weights of two goals that say the same."""


def judge_pairs(readings: Iterable[Reading]) -> Iterator[tuple[str, str, bool]]:
    """Each pair that is whole, its relation, and whether its weights hold to it."""
    groups: dict[tuple[str, str], list[Reading]] = defaultdict(list)
    for reading in readings:
        if reading.line.pair is not None and reading.line.relation is not None:
            groups[reading.line.pair, reading.line.relation].append(reading)
    for (pair, relation), group in groups.items():
        group.sort(key=lambda r: r.line.pair_order or 0)
        agrees = _close if relation == "paraphrase" else _not_less
        if len(group) > 1:
            yield pair, relation, all(itertools.starmap(agrees, itertools.combinations(group, 2)))


def _close(one: Reading, other: Reading) -> bool:
    return one.weights.distance(other.weights) <= PARAPHRASE_DISTANCE + EPSILON


def _not_less(milder: Reading, stronger: Reading) -> bool:
    """Whether the stronger goal moves every utility that both name at least as far."""
    first, second = milder.line.expect, stronger.line.expect
    raised, lowered = set(first.raised) & set(second.raised), set(first.lowered) & set(second.lowered)
    return all(stronger.weights[u] >= milder.weights[u] - EPSILON for u in raised) and all(
        stronger.weights[u] <= milder.weights[u] + EPSILON for u in lowered
    )
