"""Maximal marginal relevance (Carbonell and Goldstein 1998)."""

# M candidates

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from ranker.errors import SearchInvalid
from ranker.references.space import Found, Objective, SlateSpace, best_of

TRADE_OFFS: Final = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.3, 0.1)


def mmr(
    objective: Objective,
    space: SlateSpace,
    score_M: Tensor,
    similarity_MM: Tensor,
    *,
    trade_offs: Sequence[float] = TRADE_OFFS,
) -> Found:
    """Give the best of the MMR slates of some trade-offs.

    Each takes the item with the highest λ s_i - (1 - λ) max_{j shown} sim(i, j), slot by slot. Scores are brought to
    [0, 1] over the candidates, so that one λ means the same for every request.

    Raises:
        SearchInvalid: If a trade-off isn't in [0, 1].
    """
    if not all(0 <= trade_off <= 1 for trade_off in trade_offs):
        raise SearchInvalid(f"trade-offs lie in [0, 1], unlike {tuple(trade_offs)}")
    score = _to_unit(space, score_M)
    return best_of(objective, (mmr_slate(space, score, similarity_MM, trade_off) for trade_off in trade_offs))


def mmr_slate(space: SlateSpace, score_M: Tensor, similarity_MM: Tensor, trade_off: float) -> tuple[int, ...]:
    """Give the MMR slate of one trade-off λ in [0, 1]; the lower index first among equals."""
    similarity = similarity_MM.tolist()
    gain = (trade_off * score_M.double()).tolist()
    slate: list[int] = []
    rest = list(space.items)
    for slot in range(space.size):
        item = space.pins.get(slot)
        if item is None:
            item = max(rest, key=lambda one: gain[one] - (1 - trade_off) * _nearest(similarity[one], slate))
            rest.remove(item)
        slate.append(item)
    return tuple(slate)


def _nearest(similarity: list[float], slate: list[int]) -> float:
    return max((similarity[shown] for shown in slate), default=0.0)


def _to_unit(space: SlateSpace, score_M: Tensor) -> Tensor:
    known_I = score_M[torch.tensor([*space.items, *space.pins.values()])].double()
    spread = float(known_I.max() - known_I.min())
    return (score_M.double() - known_I.min()) / (spread or 1.0)
