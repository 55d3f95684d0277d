"""What slates show: the candidates' values brought to the slates' positions."""

# B batch, M candidates, S slates a request, N slate

from __future__ import annotations

import torch
from torch import Tensor

from ranker.requests import EMPTY


def of_items(value_BM: Tensor, slate_BSN: Tensor) -> Tensor:
    """Give the candidates' values at the slates' positions; the first candidate's where nothing is shown."""
    value_BSM = value_BM[:, None].expand(-1, slate_BSN.shape[1], -1)
    return value_BSM.gather(2, slate_BSN.clamp_min(0))


def filled(slate_BSN: Tensor) -> Tensor:
    """Tell where something is shown."""
    return slate_BSN != EMPTY


def mean_of_shown(value_BSN: Tensor, slate_BSN: Tensor) -> Tensor:
    """Give the mean over what is shown; 0 for an empty slate."""
    filled_BSN = filled(slate_BSN)
    total_BS = torch.where(filled_BSN, value_BSN.float(), 0.0).sum(-1)
    return total_BS / filled_BSN.sum(-1).clamp_min(1)


def earlier_pairs(slate_BSN: Tensor) -> Tensor:
    """Tell for positions q and p whether both show something and q comes before p, bool of (B, S, N, N)."""
    filled_BSN = filled(slate_BSN)
    size = slate_BSN.shape[-1]
    before_NN = torch.ones(size, size, dtype=torch.bool, device=slate_BSN.device).triu(1)
    return filled_BSN[..., :, None] & filled_BSN[..., None, :] & before_NN


def share_of_pairs(good_BSNN: Tensor, slate_BSN: Tensor) -> Tensor:
    """Give the share of all pairs of positions that are good: 1 for a single item, 0 for an empty slate."""
    earlier_BSNN = earlier_pairs(slate_BSN)
    pairs_BS = earlier_BSNN.sum((-1, -2))
    good_BS = (good_BSNN & earlier_BSNN).sum((-1, -2))
    share_BS = good_BS / pairs_BS.clamp_min(1)
    return torch.where(pairs_BS > 0, share_BS, filled(slate_BSN).any(-1).float())
