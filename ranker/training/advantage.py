"""How much better a sampled slate is than what it is compared with.

B batch, S samples, N slate.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ranker.training.config import Scale

TINY: Final = 1e-6
"""Below this, advantages are rounding, and aren't scaled up."""


def policy_loss(log_prob_BSN: Tensor, advantage_BSN: Tensor) -> Tensor:
    """What REINFORCE descends: its gradient is that of the expected reward, with the sign turned (Williams 1992)."""
    return -(advantage_BSN * log_prob_BSN).sum(-1).mean()


def leave_one_out(return_BSN: Tensor) -> Tensor:
    """Each sample against the mean of the others of its request (Kool et al. 2019, equation 8; RLOO)."""
    samples = return_BSN.shape[1]
    others_BSN = (return_BSN.sum(1, keepdim=True) - return_BSN) / max(1, samples - 1)
    return return_BSN - others_BSN


def returns_to_go(prefix_reward_BSN: Tensor) -> Tensor:
    """What comes from a slot on: the reward of the whole less that of the slate before the slot.

    `prefix_reward_BSN[..., t]` is the reward of the first t + 1 items. What came before a choice doesn't depend on
    it, so leaving it out changes no gradient in the mean (Williams 1992).
    """
    before_BSN = torch.cat([torch.zeros_like(prefix_reward_BSN[..., :1]), prefix_reward_BSN[..., :-1]], dim=-1)
    return prefix_reward_BSN[..., -1:] - before_BSN


def scaled(advantage_BSN: Tensor, scale: Scale) -> Tensor:
    """Divided by their root mean square over the batch, over each request (Shao et al. 2024, GRPO), or not."""
    if scale == "none":
        return advantage_BSN
    square_BSN = advantage_BSN.square()
    mean = square_BSN.mean() if scale == "batch" else square_BSN.mean((1, 2), keepdim=True)
    size = mean.sqrt()
    return torch.where(size > TINY, advantage_BSN / size.clamp(min=TINY), advantage_BSN)
