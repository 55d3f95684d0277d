"""Exposure of a set of items over a whole batch, held at a target by a gate."""

# B batch, M candidates, S slates a request, N slate

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ranker.errors import UtilityInvalid
from ranker.requests import Requests, SlatePredictions
from ranker.utilities.shown import filled, mean_of_shown, of_items


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowControl:
    """Pressure on each slate for as long as the batch's exposure of a set of items is off its target.

    s_b is the set's share of slate b, s the set's share of all that the batch shows (one slate of each request, those
    of one index in S), and the gate g is how far the batch is off, in bands:

    - `at_least`: g = clip((target - s) / band, 0, 1), U_b = 1 - g (1 - min(1, s_b / target))
    - `at_most`:  g = clip((s - target) / band, 0, 1), U_b = 1 - g max(0, s_b - target) / (1 - target)

    On target the gate is shut: every slate is worth 1, and no request is bent for a goal that is met. The value of a
    slate so depends on the rest of its batch; rank one request at a time with the gate of past traffic, or leave it
    out (a batch of one holds every slate to the target by itself).

    Args:
        name: What weights call it.
        items: Tells which candidates belong to the set, bool of (B, M), such as `lambda r: r.supply_type_BM == 1`.
        target: Share of exposure, in (0, 1).
        bound: Whether the target is a floor or a ceiling.
        band: How far off the gate is fully open, in (0, 1].

    Raises:
        UtilityInvalid: If the target or the band is outside its range.
    """

    name: str = "flow_control"
    items: Callable[[Requests], Tensor]
    target: float
    bound: Literal["at_least", "at_most"] = "at_least"
    band: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.target < 1 or not 0 < self.band <= 1:
            raise UtilityInvalid(f"a target lies in (0, 1) and a band in (0, 1], not {self.target} and {self.band}")

    def value(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        """Give 1 less the gated distance from the target."""
        del predictions
        member_BSN = of_items(self.items(requests), slate_BSN) & filled(slate_BSN)
        share_BS = mean_of_shown(member_BSN, slate_BSN)
        worth_BS = 1 - self._gate(member_BSN, slate_BSN) * self._distance(share_BS)
        return torch.where(filled(slate_BSN).any(-1), worth_BS, 0.0)

    def _gate(self, member_BSN: Tensor, slate_BSN: Tensor) -> Tensor:
        share_S = member_BSN.sum((0, 2)) / filled(slate_BSN).sum((0, 2)).clamp_min(1)
        off_S = self.target - share_S if self.bound == "at_least" else share_S - self.target
        return (off_S / self.band).clamp(0, 1)

    def _distance(self, share_BS: Tensor) -> Tensor:
        if self.bound == "at_least":
            return 1 - (share_BS / self.target).clamp_max(1)
        return (share_BS - self.target).clamp_min(0) / (1 - self.target)
