"""DLCM, the deep listwise context model of Ai et al. 2018 (SIGIR, arXiv 1804.05936).

    z     = ELU(W_2 ELU(W_1 x))                            abstract features, beside x itself
    o, s  = GRU([x; z], from the last item to the first)   the state ends on the best of the initial order
    phi_i = V . (o_i tanh(W s + b))                        W: D -> D x K, V in R^K

Being read last, the first items shape the state s most: so the model knows the initial order.

B batch, N positions, D width of an item, G width of the GRU, K directions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ranker.baselines.losses import attention_rank_loss
from ranker.baselines.reranker import Reranker
from ranker.config import MAX_SLATE, InputConfig, InputShape


@dataclass(frozen=True, slots=True, kw_only=True)
class DLCMConfig:
    """Sizes of DLCM."""

    input: InputConfig = field(default_factory=InputConfig)
    abstract: int = 16
    """Width of the abstract features z."""
    state: int = 32
    """Width of the GRU."""
    directions: int = 4
    """K, the products of output and state that are added up."""
    positions: int = MAX_SLATE
    """Longest list."""


class DLCM(Reranker):
    """Reads the list upwards, and scores every item against the state that this ends in."""

    def __init__(self, shape: InputShape, config: DLCMConfig | None = None) -> None:
        config = config or DLCMConfig()
        super().__init__(shape, config.input, config.positions)
        width = config.input.hidden
        self.abstract = nn.Sequential(
            nn.Linear(width, config.abstract), nn.ELU(), nn.Linear(config.abstract, config.abstract), nn.ELU()
        )
        self.recur = nn.GRU(width + config.abstract, config.state, batch_first=True)
        self.meet = nn.Linear(config.state, config.state * config.directions)
        self.out_K = nn.Parameter(torch.randn(config.directions) / config.directions**0.5)

    def score(self, item_BND: Tensor, filled_BN: Tensor) -> Tensor:
        """Give `score_BN`, phi."""
        count_B1 = filled_BN.sum(-1, keepdim=True)
        # The items stand first and what is empty after them, before and after the turn: a GRU is at the end of the
        # list when it has read the items.
        turned_BN = torch.where(filled_BN, count_B1 - 1 - torch.arange(filled_BN.shape[1]), 0)
        wide_BND = torch.cat([item_BND, self.abstract(item_BND)], dim=-1)
        seen_BNG, _ = self.recur(_moved(wide_BND, turned_BN))
        state_BG = _moved(seen_BNG, (count_B1 - 1).clamp(min=0)).squeeze(1)
        met_BGK = torch.tanh(self.meet(state_BG)).reshape(*state_BG.shape, -1)
        score_BN: Tensor = _moved(seen_BNG, turned_BN) @ met_BGK @ self.out_K
        return score_BN

    def loss(self, score_BN: Tensor, gain_BN: Tensor, filled_BN: Tensor) -> Tensor:
        """AttRank."""
        return attention_rank_loss(score_BN, gain_BN, filled_BN)


def _moved(value_BND: Tensor, from_BN: Tensor) -> Tensor:
    """What stands at these places of each row."""
    return value_BND.gather(1, from_BN.unsqueeze(-1).expand(-1, -1, value_BND.shape[-1]))
