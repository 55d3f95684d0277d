"""Published re-rankers of clicks, to stand beside: PRM, DLCM and SetRank.

Each reads a list in its initial order and scores its items; sorted by score, they are the re-ranked list. They are
small implementations of our own after the papers, share the actor's reading of items (`ranker.item_input`) and differ
where the papers do:

| | context | initial order | loss |
|---|---|---|---|
| `PRM` (Pei et al. 2019) | self-attention | position embeddings | softmax cross entropy |
| `DLCM` (Ai et al. 2018) | GRU from the last item to the first | the GRU's direction | attention rank loss |
| `SetRank` (Pang et al. 2020) | induced self-attention | none, or ordinal embeddings | attention rank loss |

None of them has weights: they rank for clicks and nothing else. `train_reranker` trains any of them.
"""

from __future__ import annotations

from ranker.baselines.dlcm import DLCM, DLCMConfig
from ranker.baselines.gains import click_gains
from ranker.baselines.prm import PRM, PRMConfig
from ranker.baselines.reranker import Reranker, reranked
from ranker.baselines.setrank import SetRank, SetRankConfig
from ranker.baselines.training import RerankerReport, RerankerTraining, train_reranker

__all__ = [
    "DLCM",
    "PRM",
    "DLCMConfig",
    "PRMConfig",
    "Reranker",
    "RerankerReport",
    "RerankerTraining",
    "SetRank",
    "SetRankConfig",
    "click_gains",
    "reranked",
    "train_reranker",
]
