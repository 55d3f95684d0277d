"""Determinantal point processes, greedy MAP (Chen, Zhang and Zhou 2018)."""

# M candidates

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from ranker.errors import SearchInvalid
from ranker.references.space import Found, Objective, SlateSpace, best_of

TEMPERATURES: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
JITTER: Final = 0.1
"""Added to the diagonal: items of one seller and category are alike, not one and the same."""

_SMALLEST_VOLUME: Final = 1e-12


def dpp(
    objective: Objective,
    space: SlateSpace,
    score_M: Tensor,
    similarity_MM: Tensor,
    *,
    temperatures: Sequence[float] = TEMPERATURES,
) -> Found:
    """Give the best of the greedy MAP slates of kernels L = diag(e^{a s}) (S + jitter I) diag(e^{a s}).

    `temperatures` are the a, 0 for variety alone.

    Raises:
        SearchInvalid: If a temperature is negative.
    """
    if not all(temperature >= 0 for temperature in temperatures):
        raise SearchInvalid(f"temperatures are at least 0, unlike {tuple(temperatures)}")
    return best_of(objective, (dpp_slate(space, score_M, similarity_MM, one) for one in temperatures))


def dpp_slate(space: SlateSpace, score_M: Tensor, similarity_MM: Tensor, temperature: float) -> tuple[int, ...]:
    """Give the slate that takes the item with the largest gain in log det L, slot by slot.

    The gain of item i is log d_i², d_i² = L_ii - |c_i|², with c_i the i-th row of the Cholesky factor over what is
    shown (algorithm 1 of the paper): one update of a vector a slot instead of a determinant.
    """
    # A common factor of the scores changes no argmax, and without it e^{a s} can't overflow.
    quality_M = torch.exp(temperature * (score_M.double() - score_M.double().max()))
    kernel_MM = quality_M[:, None] * (similarity_MM + JITTER * torch.eye(len(score_M))) * quality_M[None, :]
    factor = torch.zeros(len(score_M), space.size, dtype=torch.float64)
    volume_M = kernel_MM.diagonal().clone()
    free_M = torch.full_like(volume_M, -torch.inf)
    free_M[list(space.items)] = 0.0
    slate: list[int] = []
    for slot in range(space.size):
        item = space.pins.get(slot)
        if item is None:
            item = int((volume_M.clamp_min(0) + free_M).argmax())
            free_M[item] = -torch.inf
        root = volume_M[item].clamp_min(_SMALLEST_VOLUME).sqrt()
        factor[:, slot] = (kernel_MM[item] - factor[:, :slot] @ factor[item, :slot]) / root
        volume_M = volume_M - factor[:, slot] ** 2
        slate.append(item)
    return tuple(slate)
