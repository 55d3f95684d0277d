"""Utilities that the evaluator predicts: click, gmv, satisfaction and retention."""

# B batch, M candidates, S slates a request, N slate

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ranker.errors import PredictionsMissing, UtilityInvalid
from ranker.requests import Requests, SlatePredictions
from ranker.utilities.shown import filled, mean_of_shown, of_items


@dataclass(frozen=True, slots=True)
class Click:
    """Expected clicks a position: U = (1/n) sum_p P(click at p | slate)."""

    name: ClassVar[str] = "click"

    def value(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        """Give the mean probability of a click over what is shown."""
        del requests
        return mean_of_shown(_needed(predictions, self.name).click_BSN, slate_BSN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gmv:
    """Expected transaction value a position: U = (1/n) sum_p P(purchase at p | slate) min(price_p, P) / P.

    P is `price_cap`. Without one it is the highest price among the request's candidates that may be shown: that is
    free of the currency, and right where requests are compared only with themselves; a fixed cap keeps the amounts of
    requests comparable.

    Raises:
        UtilityInvalid: If the cap isn't positive.
    """

    price_cap: float | None = None
    name: ClassVar[str] = "gmv"

    def __post_init__(self) -> None:
        if self.price_cap is not None and not self.price_cap > 0:
            raise UtilityInvalid(f"a price cap is positive, not {self.price_cap}")

    def value(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        """Give the mean expected value of a purchase over what is shown, in caps."""
        purchase_BSN = _needed(predictions, self.name).purchase_BSN
        share_BM = self._share_of_cap(requests)
        return mean_of_shown(purchase_BSN * of_items(share_BM, slate_BSN), slate_BSN)

    def _share_of_cap(self, requests: Requests) -> Tensor:
        price_BM = torch.where(requests.valid_BM, requests.price_BM, 0.0)
        if self.price_cap is not None:
            return (price_BM / self.price_cap).clamp(0, 1)
        cap_B1 = torch.where(requests.allowed_BM, price_BM, 0.0).amax(1, keepdim=True)
        return torch.where(cap_B1 > 0, price_BM / cap_B1.clamp_min(torch.finfo(torch.float32).tiny), 0.0).clamp(0, 1)


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """The list's satisfaction as the evaluator predicts it, from dwell: U = E[satisfaction | slate]."""

    name: ClassVar[str] = "satisfaction"

    def value(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        """Give the list-level prediction."""
        del requests
        return _of_list(_needed(predictions, self.name).satisfaction_BS, slate_BSN)


@dataclass(frozen=True, slots=True)
class Retention:
    """The probability that the user returns on the next day: U = P(return | slate)."""

    name: ClassVar[str] = "retention"

    def value(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        """Give the list-level prediction."""
        del requests
        return _of_list(_needed(predictions, self.name).retention_BS, slate_BSN)


def _of_list(value_BS: Tensor, slate_BSN: Tensor) -> Tensor:
    return torch.where(filled(slate_BSN).any(-1), value_BS, 0.0)


def _needed(predictions: SlatePredictions | None, name: str) -> SlatePredictions:
    if predictions is None:
        raise PredictionsMissing(
            f"the utility {name} needs the evaluator's predictions", hint="call Evaluator.predict"
        )
    return predictions
