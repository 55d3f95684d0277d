"""How a candidate is read: numbers, embedded ids, the user.

B batch, M candidates, F numeric features, C categorical features, E width of an embedding, D hidden.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Final

import torch
from torch import Tensor, nn

from ranker.config import SUPPLY_TYPES, InputConfig, InputShape
from ranker.requests import Requests

OWN_NUMBERS: Final = 3
"""Numbers beside `item_BMF`: price, age, whether it is new."""
LOG_SCALE: Final = 5.0
"""Divides log(1 + price) and log(1 + days), which brings both near one."""


class ItemInput(nn.Module):
    """One layer over all that is known of an item and of the user who looks at it.

    All embeddings lie in one table, so that one look-up fetches them.
    """

    offset_C: Tensor
    size_C: Tensor

    def __init__(self, shape: InputShape, config: InputConfig, extra: int = 0) -> None:
        super().__init__()
        sizes = (*shape.vocabularies, SUPPLY_TYPES, shape.groups)
        self.register_buffer("size_C", torch.tensor(sizes), persistent=False)
        self.register_buffer("offset_C", torch.tensor([0, *accumulate(sizes)][:-1]), persistent=False)
        self._last_group = shape.groups - 1
        self.table = nn.Embedding(sum(sizes), config.id_width)
        nn.init.normal_(self.table.weight, std=config.id_width**-0.5)
        self.item = nn.Linear(shape.item + OWN_NUMBERS + extra + len(sizes) * config.id_width, config.hidden)
        self.user_FD = nn.Parameter(torch.randn(shape.user, config.hidden) / max(1, shape.user) ** 0.5)

    def forward(self, requests: Requests, extra_BMA: Tensor | None = None) -> Tensor:
        """The candidates as `item_BMD`; padding holds anything."""
        parts = [requests.item_BMF, self._own_numbers(requests), self._embedded(requests)]
        if extra_BMA is not None:
            parts.append(extra_BMA)
        item_BMD: Tensor = self.item(torch.cat(parts, dim=-1)) + (requests.user_BF @ self.user_FD).unsqueeze(1)
        return torch.relu(item_BMD)

    def _own_numbers(self, requests: Requests) -> Tensor:
        amount_BM2 = torch.stack([requests.price_BM, requests.age_days_BM], dim=-1)
        return torch.cat([amount_BM2.log1p() / LOG_SCALE, requests.is_new_BM.unsqueeze(-1).float()], dim=-1)

    def _embedded(self, requests: Requests) -> Tensor:
        group_BM = requests.group_BM.clamp(max=self._last_group)
        id_BMC = torch.cat([requests.item_id_BMC, torch.stack([requests.supply_type_BM, group_BM], dim=-1)], dim=-1)
        known_BMC = torch.where(id_BMC < self.size_C, id_BMC, 0) + self.offset_C
        embedded_BME: Tensor = self.table(known_BMC).flatten(-2)
        return embedded_BME
