"""Whether weights do what they say: each utility as its own weight rises from nothing to all."""

# B requests, K utilities, V values of a weight

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ranker.bench.optimum import Rank
from ranker.objective import Objective
from ranker.requests import Requests
from ranker.training.journal import OnProgress, TrainingProgress, unseen

VALUES: Final = 11
"""Weights tried of each utility, 0 and 1 among them."""
LEAST: Final = 1e-9
"""A utility below it has no relative range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One utility's weight from 0 to 1, the others sharing the rest in a fixed proportion."""

    utility: str
    weight: tuple[float, ...]
    achieved: tuple[float, ...]
    """Mean of the utility over the requests."""
    spearman: float
    """Rank correlation of the two; 0 where nothing moves. Below 1 even for the best slates where the utility has all
    that it can have before the weight is 1, since ties count."""
    largest_fall: float
    """Of the utility from one weight to the next higher, as a share of all that it moves; 0 for the best slates."""
    range_percent: float | None
    """How far the utility at weight 1 lies above that at 0, as a share of it; None where that is nothing."""


def control(
    rank: Rank,
    objective: Objective,
    requests: Requests,
    size: int,
    *,
    others_K: Tensor | None = None,
    values: int = VALUES,
    on_progress: OnProgress = unseen,
) -> tuple[Sweep, ...]:
    """Sweep every utility's weight over the same requests.

    Args:
        rank: What is swept.
        objective: What its slates are worth.
        requests: Whom they are for.
        size: Slots.
        others_K: The proportion of the other weights; all alike without it.
        values: Of a weight, from 0 to 1.
        on_progress: Told of every sweep.
    """
    names = objective.utilities.names
    proportion_K = torch.ones(len(names)) if others_K is None else others_K
    sweeps = []
    for place, name in enumerate(names):
        sweeps.append(_sweep(rank, objective, requests, size, _weights(proportion_K, place, values), place))
        on_progress(
            TrainingProgress(name="control", step=place + 1, steps=len(names), figures={name: sweeps[-1].spearman})
        )
    return tuple(sweeps)


def spearman(first_V: Tensor, second_V: Tensor) -> float:
    """Give the rank correlation (Spearman 1904), ties at their mean rank; 0 where one doesn't move."""
    rank_V2 = torch.stack([_ranks(first_V), _ranks(second_V)], dim=-1)
    centred_V2 = rank_V2 - rank_V2.mean(0)
    size = centred_V2.square().sum(0).prod().sqrt().item()
    return (centred_V2.prod(-1).sum().item() / size) if size else 0.0


def _weights(proportion_K: Tensor, place: int, values: int) -> Tensor:
    """Give `weights_VK` with this utility's from 0 to 1."""
    others_K = proportion_K.clone()
    others_K[place] = 0
    own_V1 = torch.linspace(0, 1, values)[:, None]
    return own_V1 * torch.eye(len(others_K))[place] + (1 - own_V1) * others_K / others_K.sum()


def _sweep(rank: Rank, objective: Objective, requests: Requests, size: int, weights_VK: Tensor, place: int) -> Sweep:
    achieved = []
    for weights_K in weights_VK:
        slate_BN = rank(requests, weights_K.expand(requests.B, -1), size)
        achieved.append(objective.values(requests, slate_BN[:, None])[:, 0, place].double().mean())
    achieved_V = torch.stack(achieved)
    first, last = achieved_V[0].item(), achieved_V[-1].item()
    moved = (achieved_V.max() - achieved_V.min()).clamp(min=LEAST)
    return Sweep(
        utility=objective.utilities.names[place],
        weight=tuple(weights_VK[:, place].tolist()),
        achieved=tuple(achieved_V.tolist()),
        spearman=spearman(weights_VK[:, place].double(), achieved_V),
        largest_fall=max(0.0, -(achieved_V.diff().min() / moved).item()),
        range_percent=100 * (last - first) / first if first > LEAST else None,
    )


def _ranks(value_V: Tensor) -> Tensor:
    below_V = (value_V[None] < value_V[:, None]).sum(1)
    alike_V = (value_V[None] == value_V[:, None]).sum(1)
    return below_V + (alike_V + 1).double() / 2
