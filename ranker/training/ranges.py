"""The range that each predicted utility really takes, so that a weight means as much for one as for another.

Expected clicks move by tenths over the slates of a request, expected transaction value by thousandths: unscaled, a
weight of a half on the second would change nothing. Ranges are fitted once, on slates that were logged, random ones,
and the greedy ones of every predicted utility alone, and kept with the checkpoint.

B batch, S slates a request, N slate, K utilities, I values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import pad

from ranker.masks import filled_slots
from ranker.objective import Objective
from ranker.requests import EMPTY, Requests
from ranker.training.lessons import Lessons
from ranker.training.teacher import marginal_greedy

PREDICTED: Final = ("click", "gmv", "satisfaction", "retention")
"""What is fitted; the others are shares of something, with a full range by their definition."""
LOWEST: Final = 0.01
HIGHEST: Final = 0.995
"""Quantiles that the range lies between."""
RANDOM_SLATES: Final = 4
"""A request."""
LEAST_RANGE: Final = 1e-5
"""A utility that moves less isn't stretched."""


def fitted_ranges(
    objective: Objective, lessons: Lessons, size: int, *, requests: int, seed: int
) -> dict[str, tuple[float, float]]:
    """Give the lowest and the highest value of every predicted utility, over some of the requests."""
    names = [name for name in objective.utilities.names if name in PREDICTED]
    generator = torch.Generator().manual_seed(seed)
    few = lessons.select(torch.randperm(lessons.requests.B, generator=generator)[:requests])
    if not names or not few.requests.B:
        return {}
    slate_BSN = torch.stack(list(_slates(objective, few, size, names, generator)), dim=1)
    value_IK = objective.values(few.requests, slate_BSN).flatten(0, 1).double()
    low_K, high_K = value_IK.quantile(LOWEST, dim=0), value_IK.quantile(HIGHEST, dim=0)
    places = {name: objective.utilities.index(name) for name in names}
    ranges = {name: (low_K[place].item(), high_K[place].item()) for name, place in places.items()}
    return {name: (low, high) for name, (low, high) in ranges.items() if high - low >= LEAST_RANGE}


def _slates(
    objective: Objective, lessons: Lessons, size: int, names: list[str], generator: torch.Generator
) -> Iterator[Tensor]:
    requests = lessons.requests
    if lessons.shown_BN is not None and lessons.shown_BN.shape[1] >= size:
        yield lessons.shown_BN[:, :size]
    for _ in range(RANDOM_SLATES):
        yield _random(requests, size, generator)
    corner_KK = torch.eye(len(objective.utilities))
    for name in names:
        weights_BK = corner_KK[objective.utilities.index(name)].expand(requests.B, -1)
        yield marginal_greedy(objective, requests, weights_BK, size)


def _random(requests: Requests, size: int, generator: torch.Generator) -> Tensor:
    chance_BM = torch.rand(requests.valid_BM.shape, generator=generator).masked_fill(~requests.allowed_BM, -1.0)
    order_BN = chance_BM.argsort(dim=-1, descending=True)[:, :size]
    order_BN = pad(order_BN, (0, size - order_BN.shape[1]), value=EMPTY)
    return torch.where(filled_slots(requests, size), order_BN, EMPTY)
