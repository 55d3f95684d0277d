"""How alike the candidates of a request are."""

# M candidates

from __future__ import annotations

import torch
from torch import Tensor

from ranker.requests import Requests


def group_similarity(requests: Requests, row: int) -> Tensor:
    """Give 1 for items of one seller and category, 0.5 for one of both, 0 for neither; float64 of (M, M).

    Unknown sellers and categories count as one. Positive semidefinite, as a mean of matrices of blocks of ones.
    """
    seller_M, category_M = requests.seller_BM[row], requests.category_BM[row]
    same_seller_MM = (seller_M[:, None] == seller_M[None, :]).double()
    same_category_MM = (category_M[:, None] == category_M[None, :]).double()
    return torch.stack([same_seller_MM, same_category_MM]).mean(0)
