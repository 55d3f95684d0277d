"""Supply groups in the order of their priority."""

# B batch, M candidates, S slates a request, N slate

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from ranker.requests import Requests, SlatePredictions
from ranker.utilities.shown import of_items, share_of_pairs


@dataclass(frozen=True, slots=True)
class GroupOrder:
    """The share of pairs in priority order: U = |{p < q: k_p <= k_q}| / (n (n - 1) / 2).

    k is the priority of an item's supply group, 0 first. Items of one group are in order whichever comes first, so
    that 1 - U is the number of swaps of neighbours that sorting by priority would take, by the most that it could.
    """

    name: ClassVar[str] = "group_order"

    def value(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        """Give the share of pairs in order."""
        del predictions
        priority_BSN = of_items(requests.group_BM, slate_BSN)
        return share_of_pairs(priority_BSN[..., :, None] <= priority_BSN[..., None, :], slate_BSN)
