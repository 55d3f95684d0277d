"""What re-rankers descend.

A gain is what a position's item is worth: 1 for a click, or the inverse of the propensity with which it was seen
(Joachims et al. 2017). Lists without gain teach nothing.

B batch, N positions.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

SURE: Final = 1 - 1e-6
"""Largest probability, so that the other outcome stays possible."""


def softmax_loss(score_BN: Tensor, gain_BN: Tensor, filled_BN: Tensor) -> Tensor:
    """Softmax cross entropy, -sum_i g_i log softmax(s)_i (Pei et al. 2019), mean over the lists."""
    return -(gain_BN * _log_softmax(score_BN, filled_BN)).sum(-1).mean()


def attention_rank_loss(score_BN: Tensor, gain_BN: Tensor, filled_BN: Tensor) -> Tensor:
    """-G sum_i a_i log p_i + (1 - a_i) log(1 - p_i), p = softmax(s), a = g / G, G = sum_i g_i, mean over the lists.

    AttRank (Ai et al. 2018), which gives each label the attention exp(y) if y > 0, else 0: of
    clicks, equal shares. G is their number, or the propensity weight of the list.
    """
    log_p_BN = _log_softmax(score_BN, filled_BN)
    total_B1 = gain_BN.sum(-1, keepdim=True)
    share_BN = gain_BN / total_B1.clamp(min=torch.finfo(gain_BN.dtype).tiny)
    against_BN = torch.log1p(-log_p_BN.exp().clamp(max=SURE)) * filled_BN
    return -(total_B1 * (share_BN * log_p_BN + (1 - share_BN) * against_BN)).sum(-1).mean()


def _log_softmax(score_BN: Tensor, filled_BN: Tensor) -> Tensor:
    """0 at empty positions."""
    return score_BN.log_softmax(-1).masked_fill(~filled_BN, 0)
