"""Which candidates may stand in which slot.

B batch, M candidates, N slate.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ranker.requests import Requests

REFUSED: Final = -1e9
"""The score of what may not be chosen: its probability is exactly 0, and gradients stay finite."""


def filled_slots(requests: Requests, size: int) -> Tensor:
    """Bool `filled_BN`: slots that there are items for; the others lie at the end."""
    slot_N = torch.arange(size, device=requests.valid_BM.device)
    return slot_N < requests.allowed_BM.sum(-1, keepdim=True)


def closed_slots(requests: Requests, size: int) -> Tensor:
    """Bool `closed_BNM`: what may not stand in a slot, even if it stands nowhere before.

    A pinned item stands in its slot and nowhere else. Where fewer items may be shown than there are slots, a pin to a
    slot that stays empty doesn't bind. So a filled slot is always open to one.
    """
    allowed_BM = requests.allowed_BM
    count_B1 = allowed_BM.sum(-1, keepdim=True).clamp(max=size)
    bound_BM = allowed_BM & (requests.pinned_BM >= 0) & (requests.pinned_BM < count_B1)
    slot_N1 = torch.arange(size, device=allowed_BM.device).unsqueeze(-1)
    pinned_here_BNM = bound_BM.unsqueeze(1) & (requests.pinned_BM.unsqueeze(1) == slot_N1)
    pinned_to_BN1 = pinned_here_BNM.any(-1, keepdim=True)
    return torch.where(pinned_to_BN1, ~pinned_here_BNM, (~allowed_BM | bound_BM).unsqueeze(1))
