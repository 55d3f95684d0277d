"""What PPO descends."""

# B decisions

from __future__ import annotations

import torch
from torch import Tensor

TINY = 1e-8
"""Added to a standard deviation before dividing by it."""


def surrogate_loss(log_prob_B: Tensor, old_log_prob_B: Tensor, advantage_B: Tensor, *, clip: float) -> Tensor:
    """The clipped surrogate objective with the sign turned (Schulman et al. 2017, equation 7)."""
    ratio_B = (log_prob_B - old_log_prob_B).exp()
    clipped_B = ratio_B.clamp(1 - clip, 1 + clip)
    return -torch.minimum(ratio_B * advantage_B, clipped_B * advantage_B).mean()


def value_loss(value_B: Tensor, old_value_B: Tensor, return_B: Tensor, *, clip: float) -> Tensor:
    """Half the squared error, of the value or of the value held near the old one, whichever is worse.

    Engstrom et al. 2020, section 3: a part of the published implementations of PPO, not of the paper.
    """
    near_B = old_value_B + (value_B - old_value_B).clamp(-clip, clip)
    return 0.5 * torch.maximum((value_B - return_B).square(), (near_B - return_B).square()).mean()


def normalised(advantage_B: Tensor) -> Tensor:
    """Advantages of mean 0 and standard deviation 1, over the batch (Andrychowicz et al. 2021, choice C67)."""
    if advantage_B.numel() == 1:
        return advantage_B - advantage_B
    return (advantage_B - advantage_B.mean()) / (advantage_B.std() + TINY)


def divergence(log_prob_B: Tensor, old_log_prob_B: Tensor) -> Tensor:
    """An estimate of the KL divergence from the old actor: unbiased and never negative (Schulman 2020)."""
    log_ratio_B = log_prob_B - old_log_prob_B
    return (log_ratio_B.exp() - 1 - log_ratio_B).mean()
