"""What an item is among the other candidates: ranks, repeats, shares.

Features of the candidate set, which the re-ranker of Chen et al. 2023 adds to those of the item. A permutation of
the candidates permutes them, and padding doesn't change them.

B batch, M candidates, A features, R relations.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from ranker.config import MAX_CANDIDATES
from ranker.relations import RELATIONS
from ranker.requests import Requests

AUGMENTED: Final = RELATIONS + 5
"""A: shares of the other candidates in every relation, ranks of price and age, the price as a share of the highest
and in deviations, the count of candidates."""
TINY: Final = 1e-6
"""Keeps divisions by a spread or a highest price finite."""


def augment(requests: Requests, relation_BMMR: Tensor) -> Tensor:
    """The features as `augmented_BMA`, all about [-1, 1]; 0 at padding."""
    valid_BM1 = requests.valid_BM.unsqueeze(-1).float()
    count_B11 = valid_BM1.sum(1, keepdim=True).clamp(min=1)
    others_B11 = (count_B11 - 1).clamp(min=1)
    own_BMR = relation_BMMR.diagonal(dim1=1, dim2=2).transpose(1, 2)
    shares_BMR = (relation_BMMR.sum(1) - own_BMR) / others_B11
    amount_BM2 = torch.stack([requests.price_BM, requests.age_days_BM], dim=-1)
    above_BMM2 = torch.sign(amount_BM2.unsqueeze(1) - amount_BM2.unsqueeze(2)) * valid_BM1.unsqueeze(2)
    ranks_BM2 = above_BMM2.sum(1) / others_B11
    price_BM1 = requests.price_BM.unsqueeze(-1) * valid_BM1
    highest_B11 = price_BM1.amax(1, keepdim=True).clamp(min=TINY)
    size_BM1 = (count_B11.log() / math.log(MAX_CANDIDATES)).expand_as(valid_BM1)
    deviation_BM1 = _deviation(price_BM1.log1p(), valid_BM1, count_B11)
    parts = [shares_BMR, ranks_BM2, price_BM1 / highest_B11, deviation_BM1, size_BM1]
    return torch.cat(parts, dim=-1) * valid_BM1


def _deviation(value_BM1: Tensor, valid_BM1: Tensor, count_B11: Tensor) -> Tensor:
    """Standard deviations above the mean of the set, a third of them; `value` is 0 at padding."""
    mean_B11 = value_BM1.sum(1, keepdim=True) / count_B11
    centred_BM1 = (value_BM1 - mean_B11) * valid_BM1
    spread_B11 = (centred_BM1.square().sum(1, keepdim=True) / count_B11).sqrt()
    return centred_BM1 / (3 * spread_B11.clamp(min=TINY))
