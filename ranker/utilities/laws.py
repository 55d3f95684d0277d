"""The laws of utilities, for those of the ranker and for anybody's own."""

# B batch, M candidates, S slates a request, N slate

from __future__ import annotations

from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from ranker.errors import UtilityInvalid
from ranker.requests import EMPTY, Requests, SlatePredictions
from ranker.utilities.port import Utility

_PADDING: Final = 3
_TOLERANCE: Final = 1e-5


def check_utility(
    utility: Utility, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None = None
) -> None:
    """Hold a utility to its laws on these slates.

    Raises:
        UtilityInvalid: If a value is outside [0, 1] or not of (B, S), or changes with padding of the candidates or of
            the slates, or with the order in which the candidates came.
    """
    value_BS = utility.value(slate_BSN, requests, predictions)
    if value_BS.shape != slate_BSN.shape[:2] or value_BS.dtype != torch.float32:
        raise UtilityInvalid(
            f"{utility.name} gives {value_BS.dtype} of {tuple(value_BS.shape)}, not float32 of (B, S)"
        )
    if not bool(((value_BS >= 0) & (value_BS <= 1 + _TOLERANCE)).all()):
        raise UtilityInvalid(f"{utility.name} gives values outside [0, 1]")
    padded = requests.padded_to(requests.M + _PADDING)
    _same(utility, value_BS, utility.value(slate_BSN, padded, predictions), "padding of the candidates")
    longer_BSN, longer = _lengthened(slate_BSN, predictions)
    _same(utility, value_BS, utility.value(longer_BSN, requests, longer), "padding of the slates")
    order_BM = torch.arange(requests.M).flip(0).expand(requests.B, -1)
    moved_BSN = torch.where(slate_BSN == EMPTY, EMPTY, requests.M - 1 - slate_BSN)
    _same(
        utility, value_BS, utility.value(moved_BSN, requests.permuted(order_BM), predictions), "the candidates' order"
    )


def _lengthened(slate_BSN: Tensor, predictions: SlatePredictions | None) -> tuple[Tensor, SlatePredictions | None]:
    longer_BSN = torch.nn.functional.pad(slate_BSN, (0, _PADDING), value=EMPTY)
    if predictions is None:
        return longer_BSN, None
    click_BSN = torch.nn.functional.pad(predictions.click_BSN, (0, _PADDING), value=0.5)
    purchase_BSN = torch.nn.functional.pad(predictions.purchase_BSN, (0, _PADDING), value=0.5)
    return longer_BSN, replace(predictions, click_BSN=click_BSN, purchase_BSN=purchase_BSN)


def _same(utility: Utility, value_BS: Tensor, other_BS: Tensor, what: str) -> None:
    if not torch.allclose(value_BS, other_BS, atol=_TOLERANCE):
        raise UtilityInvalid(f"{utility.name} changes with {what}")
