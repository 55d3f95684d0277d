"""SetRank of Pang et al. 2020 (SIGIR, arXiv 1912.05891), with induced self-attention.

    IMSAB(X) = MAB(X, H),  H = MAB(I, X)          I: a few learned vectors, through which the items meet
    X_0 = x_i (+ ordinal embedding of the initial rank)
    s   = w . IMSAB(... IMSAB(X_0)) + b

Without ordinal embeddings a permutation of the initial list permutes the scores and changes nothing else; attention
costs O(N I) instead of O(N^2).

B batch, N positions, I inducing vectors, D width of an item.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ranker.baselines.attention import AttentionBlock
from ranker.baselines.losses import attention_rank_loss
from ranker.baselines.reranker import Reranker
from ranker.config import MAX_SLATE, InputConfig, InputShape


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRankConfig:
    """Sizes of SetRank."""

    input: InputConfig = field(default_factory=InputConfig)
    blocks: int = 2
    """Induced self-attention blocks."""
    heads: int = 4
    """Attention heads; they divide the width of an item."""
    inducing: int = 8
    """Learned vectors of a block."""
    dropout: float = 0.1
    ordinal: bool = False
    """Whether the rank in the initial list is embedded."""
    positions: int = MAX_SLATE
    """Longest list."""


class SetRank(Reranker):
    """Scores a set."""

    def __init__(self, shape: InputShape, config: SetRankConfig | None = None) -> None:
        config = config or SetRankConfig()
        super().__init__(shape, config.input, config.positions)
        width = config.input.hidden
        self.ordinal_ND = None
        if config.ordinal:
            self.ordinal_ND = nn.Parameter(torch.randn(config.positions, width) / 10)
        self.blocks = nn.ModuleList(
            InducedBlock(width, config.heads, config.inducing, config.dropout) for _ in range(config.blocks)
        )
        self.out = nn.Linear(width, 1)

    def score(self, item_BND: Tensor, filled_BN: Tensor) -> Tensor:
        """Give `score_BN`."""
        met_BND = item_BND
        if self.ordinal_ND is not None:
            met_BND = met_BND + self.ordinal_ND[: item_BND.shape[1]]
        for block in self.blocks:
            met_BND = block(met_BND, filled_BN)
        score_BN: Tensor = self.out(met_BND).squeeze(-1)
        return score_BN

    def loss(self, score_BN: Tensor, gain_BN: Tensor, filled_BN: Tensor) -> Tensor:
        """AttRank."""
        return attention_rank_loss(score_BN, gain_BN, filled_BN)


class InducedBlock(nn.Module):
    """IMSAB."""

    def __init__(self, width: int, heads: int, inducing: int, dropout: float) -> None:
        super().__init__()
        self.inducing_ID = nn.Parameter(torch.randn(inducing, width) / width**0.5)
        self.gather = AttentionBlock(width, heads, dropout)
        self.spread = AttentionBlock(width, heads, dropout)

    def forward(self, item_BND: Tensor, filled_BN: Tensor) -> Tensor:
        """Give the items after they have met."""
        inducing_BID = self.inducing_ID.expand(item_BND.shape[0], -1, -1)
        spread_BND: Tensor = self.spread(item_BND, self.gather(inducing_BID, item_BND, filled_BN))
        return spread_BND
