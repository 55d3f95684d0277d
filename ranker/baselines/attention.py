"""Attention of one set to another, as PRM and SetRank build on it.

    MAB(X, Y) = LayerNorm(B + rFF(B)),   B = LayerNorm(X + Multihead(X, Y, Y))

The encoder layer of Vaswani et al. 2017, and the multihead attention block of Lee et al. 2019 (Set Transformer).

B batch, X queries, Y keys, D width, H heads.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from ranker.errors import ModelInvalid

WIDER: Final = 2
"""Width of the hidden layer of rFF, in widths of an item."""
FAR_BELOW: Final = -1e9
"""Added to the attention to what isn't there."""


class AttentionBlock(nn.Module):
    """MAB.

    Raises:
        ModelInvalid: If the heads don't divide the width.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise ModelInvalid(f"{heads} heads don't divide a width of {width}")
        self._heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, WIDER * width), nn.ReLU(), nn.Linear(WIDER * width, width))
        self.norm_met, self.norm_fed = nn.LayerNorm(width), nn.LayerNorm(width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x_BXD: Tensor, y_BYD: Tensor, there_BY: Tensor | None = None) -> Tensor:
        """Give `x_BXD` after it has looked at `y_BYD`, of which `there_BY` says what is there; all, without it."""
        query = self._split(self.query(x_BXD))
        key, value = (self._split(part) for part in self.key_value(y_BYD).chunk(2, dim=-1))
        bias_B11Y = None if there_BY is None else torch.where(there_BY, 0.0, FAR_BELOW)[:, None, None]
        met = scaled_dot_product_attention(query, key, value, attn_mask=bias_B11Y)
        between_BXD = self.norm_met(x_BXD + self.drop(self.out(met.transpose(1, 2).flatten(-2))))
        fed_BXD: Tensor = self.norm_fed(between_BXD + self.drop(self.feed(between_BXD)))
        return fed_BXD

    def _split(self, wide: Tensor) -> Tensor:
        return wide.reshape(*wide.shape[:-1], self._heads, -1).transpose(1, 2)
