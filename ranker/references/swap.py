"""Local search from a slate."""

# S slates, N slate, I items

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

import torch

from ranker.errors import SearchInvalid
from ranker.references.space import Found, Objective, SlateSpace, value_all

_GAIN: Final = 1e-9
"""A gain below it is rounding."""


def swap_search(objective: Objective, space: SlateSpace, start: tuple[int, ...], *, most_rounds: int = 100) -> Found:
    """Take the best swap of two slots or exchange for an item not shown, until none gains or after `most_rounds`.

    Pinned items stay where they are. The result is worth at least as much as `start`.

    Raises:
        SearchInvalid: If `start` isn't a slate of the space.
    """
    _check_start(space, start)
    slate, value = start, float(value_all(objective, torch.tensor([start]))[0])
    valued = 1
    for _ in range(most_rounds):
        neighbours = list(_neighbours(slate, space))
        if not neighbours:
            break
        value_S = value_all(objective, torch.tensor(neighbours))
        valued += len(neighbours)
        place = int(value_S.argmax())
        if float(value_S[place]) <= value + _GAIN:
            break
        slate, value = neighbours[place], float(value_S[place])
    return Found(slate=slate, reward=value, valued=valued)


def _neighbours(slate: tuple[int, ...], space: SlateSpace) -> Iterator[tuple[int, ...]]:
    for first, second in itertools.combinations(space.free_slots, 2):
        swapped = list(slate)
        swapped[first], swapped[second] = swapped[second], swapped[first]
        yield tuple(swapped)
    unused = [item for item in space.items if item not in slate]
    for slot, item in itertools.product(space.free_slots, unused):
        yield (*slate[:slot], item, *slate[slot + 1 :])


def _check_start(space: SlateSpace, start: tuple[int, ...]) -> None:
    pins_kept = len(start) == space.size and all(start[slot] == item for slot, item in space.pins.items())
    known = set(start) <= {*space.items, *space.pins.values()}
    if not pins_kept or not known or len(set(start)) < len(start):
        raise SearchInvalid(f"{start} isn't a slate to start from", hint="start from the slate of another search")
