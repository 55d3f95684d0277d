"""Five ways to look at a slate.

    sum     sum_i x_i                             what is in it
    flat    FC(concat_i FC(x_i))                  what stands where
    attend  multi-head self-attention over x      (Vaswani et al. 2017)
    recur   GRU over x, top to bottom             (Cho et al. 2014)
    dots    FC(x_i . x_j for every position j)    what is like what

The channels of the evaluator of Chen et al. 2023. The third to fifth give a vector a position, the first two one a
slate. Nothing depends on what stands in empty slots.

R slates, N positions, D width of an item, C width of a channel, L positions known.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from ranker.config import EvaluatorConfig

FAR_BELOW: Final = -1e9
"""Added to the attention on empty slots."""
PER_ITEM: Final = 3
PER_SLATE: Final = 2


class Views(NamedTuple):
    """What the channels give, side by side."""

    item_RNC: Tensor
    """`PER_ITEM` channels a position; 0 at empty ones."""
    slate_RC: Tensor
    """`PER_SLATE` channels a slate."""
    end_RC: Tensor
    """The per-item channels for the slate as a whole: means, and the GRU's last state."""


class Channels(nn.Module):
    """The five channels."""

    def __init__(self, config: EvaluatorConfig) -> None:
        super().__init__()
        width, channel = config.input.hidden, config.channel
        self._heads, self._usual = config.heads, float(config.usual_slate)
        self.total = nn.Linear(width, channel)
        self.narrow = nn.Linear(width, config.flat)
        self.flat_LFC = nn.Parameter(torch.randn(config.slate, config.flat, channel) / math.sqrt(10 * config.flat))
        self.attend_in = nn.Linear(width, 3 * channel)
        self.attend_out = nn.Linear(channel, channel)
        self.recur = nn.GRU(width, channel, batch_first=True)
        self.likeness = nn.Linear(width, channel, bias=False)
        self.dots_LC = nn.Parameter(torch.randn(config.slate, channel) / math.sqrt(10))

    def forward(self, item_RND: Tensor, filled_RN: Tensor) -> Views:
        """The views of slates whose items are 0 in empty slots."""
        filled_RN1 = filled_RN.unsqueeze(-1).float()
        recur_RNC = self.recur(item_RND)[0]
        views_RNC = torch.cat([self._attend(item_RND, filled_RN), recur_RNC, self._dots(item_RND)], -1) * filled_RN1
        count_R1 = filled_RN1.sum(1).clamp(min=1)
        attended, _, likeness = (views_RNC.sum(1) / count_R1).chunk(PER_ITEM, dim=-1)
        at_end_R11 = (count_R1.long() - 1).unsqueeze(-1)
        last_RC = recur_RNC.gather(1, at_end_R11.expand(-1, 1, recur_RNC.shape[-1])).squeeze(1)
        total_RC = self.total(item_RND.sum(1) / self._usual)
        slate_RC = torch.cat([total_RC, self._flat(item_RND, filled_RN1)], dim=-1).relu()
        return Views(views_RNC, slate_RC, torch.cat([attended, last_RC, likeness], dim=-1))

    def _flat(self, item_RND: Tensor, filled_RN1: Tensor) -> Tensor:
        narrow_RNF = torch.relu(self.narrow(item_RND)) * filled_RN1
        return torch.einsum("rnf,nfc->rc", narrow_RNF, self.flat_LFC[: item_RND.shape[1]])

    def _attend(self, item_RND: Tensor, filled_RN: Tensor) -> Tensor:
        parts = self.attend_in(item_RND).chunk(3, dim=-1)
        query, key, value = (part.unflatten(-1, (self._heads, -1)).transpose(1, 2) for part in parts)
        bias_R11N = torch.where(filled_RN, 0.0, FAR_BELOW)[:, None, None]
        met = scaled_dot_product_attention(query, key, value, attn_mask=bias_R11N)
        attended_RNC: Tensor = self.attend_out(met.transpose(1, 2).flatten(-2))
        return attended_RNC

    def _dots(self, item_RND: Tensor) -> Tensor:
        like_RNC = self.likeness(item_RND)
        dot_RNN = like_RNC @ like_RNC.transpose(1, 2) / math.sqrt(like_RNC.shape[-1])
        return torch.relu(dot_RNN @ self.dots_LC[: item_RND.shape[1]])
