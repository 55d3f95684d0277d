"""Searches that write a slate from the top: all slates, the best prefixes, the best next item, a sorted score."""

# M candidates, S slates, N slate, W beam

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from ranker.errors import SearchInvalid
from ranker.references.space import CHUNK, Found, Objective, SlateSpace, best_of, value_all
from ranker.requests import EMPTY

MOST_SLATES: Final = 1_000_000


def brute_force(objective: Objective, space: SlateSpace) -> Found:
    """Value every slate and give the best, the first of equals.

    Raises:
        SearchInvalid: If there are more than `MOST_SLATES`.
    """
    count = math.perm(len(space.items), len(space.free_slots))
    if count > MOST_SLATES:
        raise SearchInvalid(
            f"there are {count:,} slates, and brute force is for up to {MOST_SLATES:,}", hint="use beam_search"
        )
    slates = (space.filled(chosen) for chosen in itertools.permutations(space.items, len(space.free_slots)))
    best: Found | None = None
    while chunk := list(itertools.islice(slates, CHUNK)):
        found = best_of(objective, chunk)
        best = found if best is None or found.reward > best.reward else best
    if best is None:
        raise SearchInvalid("there is no slate to choose from")
    return replace(best, valued=count, bound=best.reward)


def beam_search(objective: Objective, space: SlateSpace, *, width: int) -> Found:
    """Extend the `width` most valued prefixes slot by slot.

    Raises:
        SearchInvalid: If the width isn't positive.
    """
    if width < 1:
        raise SearchInvalid(f"a beam has a width of at least 1, not {width}")
    beam_WN = torch.full((1, space.size), EMPTY)
    value_W = torch.zeros(1, dtype=torch.float64)
    valued = 0
    for slot in range(space.size):
        beam_WN = _extended(beam_WN, slot, space)
        value_W = value_all(objective, beam_WN)
        valued += len(beam_WN)
        kept_W = value_W.sort(descending=True, stable=True).indices[:width]
        beam_WN, value_W = beam_WN[kept_W], value_W[kept_W]
    return Found(slate=tuple(beam_WN[0].tolist()), reward=float(value_W[0]), valued=valued)


def greedy(objective: Objective, space: SlateSpace) -> Found:
    """Append the item with the highest marginal gain, slot by slot."""
    return beam_search(objective, space, width=1)


def sort_by(objective: Objective, space: SlateSpace, score_M: Tensor) -> Found:
    """Give the items in the order of a score, such as the predicted click; the lower index first among equals."""
    ranked = sorted(space.items, key=lambda item: (-float(score_M[item]), item))
    return best_of(objective, [space.filled(ranked)])


def _extended(beam_WN: Tensor, slot: int, space: SlateSpace) -> Tensor:
    if slot in space.pins:
        beam_WN[:, slot] = space.pins[slot]
        return beam_WN
    items_I = torch.tensor(space.items)
    unused_WI = ~(beam_WN[:, None, :] == items_I[None, :, None]).any(-1)
    prefix, item = unused_WI.nonzero().T
    longer_SN = beam_WN[prefix]
    longer_SN[:, slot] = items_I[item]
    return longer_SN
