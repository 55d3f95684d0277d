"""Variety of sellers and categories in a slate."""

# B batch, M candidates, S slates a request, N slate

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, get_args

import torch
from torch import Tensor

from ranker.errors import UtilityInvalid
from ranker.requests import Requests, SlatePredictions
from ranker.utilities.shown import earlier_pairs, filled, of_items, share_of_pairs

Attribute = Literal["seller", "category"]
Measure = Literal["pairs", "alpha_ndcg", "err_ia"]

_COLUMNS: Final[dict[Attribute, str]] = {"seller": "seller_BM", "category": "category_BM"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """The mean over the attributes a (seller, category) of one of three measures of variety.

    Items of unknown seller or category (0) count as one group, so that missing data is never variety.

    - `pairs`, the Gini-Simpson index (Simpson 1949, unbiased form): U_a = 1 - sum_g c_g (c_g - 1) / (n (n - 1)),
      where c_g items of the n shown belong to group g: the share of pairs that differ. The order doesn't matter.
    - `alpha_ndcg` (Clarke et al. 2008): U_a = DCG / ideal DCG, DCG = sum_p (1 - alpha)^r_p / log2(1 + p) with
      r_p the items of p's group that come before p = 1, 2, …
    - `err_ia` (ERR-IA, Chapelle et al. 2011), normalised by its ideal: sum_p P(g_p) stop (1 - stop)^r_p / p, where
      P(g) is the group's share of the candidates and `stop` the probability that an item satisfies who wants its
      group.

    Every item belongs to one group of an attribute, so that the gains (1 - alpha)^0, (1 - alpha)^1, … of each group,
    sorted together, are the ideal: exact, where the general problem is NP-hard.

    Raises:
        UtilityInvalid: If there is no attribute or measure of a name, or `alpha` or `stop` isn't in (0, 1).
    """

    attributes: tuple[Attribute, ...] = ("seller", "category")
    measure: Measure = "pairs"
    alpha: float = 0.5
    stop: float = 0.5
    name: ClassVar[str] = "diversity"

    def __post_init__(self) -> None:
        unknown = set(self.attributes) - set(_COLUMNS)
        if not self.attributes or unknown:
            raise UtilityInvalid(f"diversity is over some of {', '.join(_COLUMNS)}, not {self.attributes}")
        if self.measure not in get_args(Measure):
            raise UtilityInvalid(f"no measure of diversity is called {self.measure!r}", hint=f"use one of {Measure}")
        if not (0 < self.alpha < 1 and 0 < self.stop < 1):
            raise UtilityInvalid(f"alpha and stop lie in (0, 1), not {self.alpha} and {self.stop}")

    def value(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        """Give the mean variety over the attributes."""
        del predictions
        by_attribute = [self._of_attribute(slate_BSN, requests, _COLUMNS[name]) for name in self.attributes]
        return torch.stack(by_attribute).mean(0)

    def _of_attribute(self, slate_BSN: Tensor, requests: Requests, column: str) -> Tensor:
        group_BM: Tensor = getattr(requests, column)
        group_BSN = of_items(group_BM, slate_BSN)
        same_BSNN = group_BSN[..., :, None] == group_BSN[..., None, :]
        if self.measure == "pairs":
            return share_of_pairs(~same_BSNN, slate_BSN)
        return self._cascade(slate_BSN, same_BSNN, group_BM, requests)

    def _cascade(self, slate_BSN: Tensor, same_BSNN: Tensor, group_BM: Tensor, requests: Requests) -> Tensor:
        keep, discount = self._cascade_of_measure()
        allowed_BM = requests.allowed_BM
        same_BMM = (group_BM[:, :, None] == group_BM[:, None, :]) & allowed_BM[:, :, None] & allowed_BM[:, None, :]
        worth_BM = self._worth(same_BMM, allowed_BM)

        repeats_BSN = (same_BSNN & earlier_pairs(slate_BSN)).sum(-2)
        gain_BSN = of_items(worth_BM, slate_BSN) * keep**repeats_BSN
        discount_N = discount(torch.arange(1, slate_BSN.shape[-1] + 1, device=slate_BSN.device))
        got_BS = torch.where(filled(slate_BSN), gain_BSN * discount_N, 0.0).sum(-1)

        repeats_BM = same_BMM.triu(1).sum(-2)
        ideal_BM = torch.where(allowed_BM, worth_BM * keep**repeats_BM, 0.0).sort(descending=True).values
        best_BS = _first(ideal_BM, discount, filled(slate_BSN).sum(-1))
        return torch.where(best_BS > 0, got_BS / best_BS.clamp_min(1e-12), 0.0).clamp(0, 1)

    def _cascade_of_measure(self) -> tuple[float, Callable[[Tensor], Tensor]]:
        if self.measure == "alpha_ndcg":
            return 1 - self.alpha, lambda position: 1 / torch.log2(1 + position)
        return 1 - self.stop, lambda position: 1 / position

    def _worth(self, same_BMM: Tensor, allowed_BM: Tensor) -> Tensor:
        if self.measure == "alpha_ndcg":
            return allowed_BM.float()
        return same_BMM.sum(-1) / allowed_BM.sum(-1, keepdim=True).clamp_min(1)


def _first(gain_BM: Tensor, discount: Callable[[Tensor], Tensor], count_BS: Tensor) -> Tensor:
    """Give the discounted sum of the first `count_BS` gains."""
    discount_M = discount(torch.arange(1, gain_BM.shape[1] + 1, device=gain_BM.device))
    total_BM = torch.nn.functional.pad((gain_BM * discount_M).cumsum(-1), (1, 0))
    return total_BM.gather(1, count_BS.clamp_max(gain_BM.shape[1]))
