"""New content's share of a slate."""

# B batch, M candidates, S slates a request, N slate

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from ranker.errors import UtilityInvalid
from ranker.requests import Requests, SlatePredictions
from ranker.utilities.shown import mean_of_shown, of_items


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """The share of new items against a target: U = min(1, s / target), s = (new items shown) / n.

    More new content than the target is worth nothing more.

    Raises:
        UtilityInvalid: If the target isn't in (0, 1].
    """

    target: float = 0.3
    name: ClassVar[str] = "cold_start"

    def __post_init__(self) -> None:
        if not 0 < self.target <= 1:
            raise UtilityInvalid(f"the target of cold_start lies in (0, 1], not {self.target}")

    def value(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        """Give the share of new items in targets, at most 1."""
        del predictions
        share_BS = mean_of_shown(of_items(requests.is_new_BM, slate_BSN), slate_BSN)
        return (share_BS / self.target).clamp_max(1)
