"""Candidates become vectors that know of one another.

DeepSet (Zaheer et al. 2017, the permutation-equivariant layer): e_j = rho(phi(x_j) + Gamma mean_i phi(x_i)), as the
encoder of Chen et al. 2023. Linear in the number of candidates.

B batch, M candidates, A augmented features, R relations, D hidden.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ranker.augment import AUGMENTED, augment
from ranker.config import ActorConfig, InputShape
from ranker.item_input import ItemInput
from ranker.requests import Requests


class Encoded(NamedTuple):
    """The candidates and their mean."""

    item_BMD: Tensor
    set_BD: Tensor


class Encoder(nn.Module):
    """Reads a request once; what it gives doesn't depend on the weights."""

    def __init__(self, shape: InputShape, config: ActorConfig) -> None:
        super().__init__()
        width = config.input.hidden
        self.read = ItemInput(shape, config.input, extra=AUGMENTED)
        self.phi = nn.Linear(width, config.hidden)
        self.own = nn.Linear(config.hidden, config.hidden)
        self.others = nn.Linear(config.hidden, config.hidden, bias=False)

    def forward(self, requests: Requests, relation_BMMR: Tensor) -> Encoded:
        """The candidates encoded; padding holds anything and reaches nothing else."""
        phi_BMD = torch.relu(self.phi(self.read(requests, augment(requests, relation_BMMR))))
        valid_BM1 = requests.valid_BM.unsqueeze(-1).float()
        mean_BD = (phi_BMD * valid_BM1).sum(1) / valid_BM1.sum(1).clamp(min=1)
        item_BMD = torch.relu(self.own(phi_BMD) + self.others(mean_BD).unsqueeze(1))
        return Encoded(item_BMD, mean_BD)
