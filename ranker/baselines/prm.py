"""PRM, the personalised re-ranking model of Pei et al. 2019 (RecSys, arXiv 1904.06813).

    E_0  = x_i + pe_i                                 items and users read, position of the initial list
    E_l  = transformer encoder layer(E_{l-1})
    P(y) = softmax over the list of w . E_L + b

The user comes in with the features, as for the actor; the paper's pre-trained vector of personalisation is left out.

B batch, N positions, D width of an item.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ranker.baselines.attention import AttentionBlock
from ranker.baselines.losses import softmax_loss
from ranker.baselines.reranker import Reranker
from ranker.config import MAX_SLATE, InputConfig, InputShape


@dataclass(frozen=True, slots=True, kw_only=True)
class PRMConfig:
    """Sizes of PRM."""

    input: InputConfig = field(default_factory=InputConfig)
    blocks: int = 2
    """Encoder layers."""
    heads: int = 4
    """Attention heads; they divide the width of an item."""
    dropout: float = 0.1
    positions: int = MAX_SLATE
    """Of the initial list, each with an embedding."""


class PRM(Reranker):
    """Attends from every item to every other, and knows where each stood."""

    def __init__(self, shape: InputShape, config: PRMConfig | None = None) -> None:
        config = config or PRMConfig()
        super().__init__(shape, config.input, config.positions)
        width = config.input.hidden
        self.position_ND = nn.Parameter(torch.randn(config.positions, width) / 10)
        self.blocks = nn.ModuleList(AttentionBlock(width, config.heads, config.dropout) for _ in range(config.blocks))
        self.out = nn.Linear(width, 1)

    def score(self, item_BND: Tensor, filled_BN: Tensor) -> Tensor:
        """Give `score_BN`, the logits of the softmax."""
        encoded_BND = item_BND + self.position_ND[: item_BND.shape[1]]
        for block in self.blocks:
            encoded_BND = block(encoded_BND, encoded_BND, filled_BN)
        score_BN: Tensor = self.out(encoded_BND).squeeze(-1)
        return score_BN

    def loss(self, score_BN: Tensor, gain_BN: Tensor, filled_BN: Tensor) -> Tensor:
        """Softmax cross entropy."""
        return softmax_loss(score_BN, gain_BN, filled_BN)
