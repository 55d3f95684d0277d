"""Generalised advantage estimation."""

# T steps, N streams of decisions

from __future__ import annotations

import torch
from torch import Tensor


def advantages(
    reward_TN: Tensor,
    value_TN: Tensor,
    next_value_TN: Tensor,
    *,
    terminated_TN: Tensor,
    truncated_TN: Tensor,
    discount: float,
    trace: float,
) -> Tensor:
    """GAE-lambda advantages (Schulman et al. 2016, equation 16).

    `terminated_TN` cuts the bootstrap: nothing comes after. `truncated_TN` keeps it, and only ends the sum: what
    comes after is worth `next_value_TN`, and isn't part of the record.
    """
    bootstrap_TN = torch.where(terminated_TN, 0.0, next_value_TN)
    delta_TN = reward_TN + discount * bootstrap_TN - value_TN
    carry_TN = discount * trace * (~(terminated_TN | truncated_TN)).to(delta_TN.dtype)
    advantage_TN = torch.empty_like(delta_TN)
    after_N = torch.zeros_like(delta_TN[0])
    for step in reversed(range(len(delta_TN))):
        after_N = delta_TN[step] + carry_TN[step] * after_N
        advantage_TN[step] = after_N
    return advantage_TN
