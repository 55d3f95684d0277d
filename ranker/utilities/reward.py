"""What weights make of utilities."""

# B batch, S slates a request, K utilities

from __future__ import annotations

import torch
from torch import Tensor

from ranker.errors import WeightsInvalid


def reward(weights_BK: Tensor, utilities_BSK: Tensor) -> Tensor:
    """Give R_BS = sum_k w_k U_k.

    Raises:
        WeightsInvalid: If there aren't K weights for each of B requests.
    """
    batch, _, count = utilities_BSK.shape
    if weights_BK.shape != (batch, count):
        raise WeightsInvalid(f"weights are of ({batch}, {count}), not {tuple(weights_BK.shape)}")
    return torch.einsum("bk,bsk->bs", weights_BK, utilities_BSK)


def normalised(weights_BK: Tensor) -> Tensor:
    """Give the same weights on the simplex: multiples of weights ask for the same slate.

    Raises:
        WeightsInvalid: If a weight is negative or not finite, or all of a row are 0.
    """
    if not bool(torch.isfinite(weights_BK).all()) or bool((weights_BK < 0).any()):
        raise WeightsInvalid("a weight is negative or not finite", hint="weights are finite and at least 0")
    total_B1 = weights_BK.sum(-1, keepdim=True)
    if bool((total_B1 <= 0).any()):
        raise WeightsInvalid("all weights of a request are 0", hint="give at least one utility a weight")
    return weights_BK / total_B1
