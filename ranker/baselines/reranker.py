"""What the published re-rankers have in common.

B batch, M candidates, N positions of the initial list, D width of an item.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final, Protocol

import torch
from torch import Tensor, nn

from ranker.config import InputConfig, InputShape
from ranker.errors import ShapeMismatch, ValueOutOfRange
from ranker.item_input import ItemInput
from ranker.requests import EMPTY, Requests

NOTHING_THERE: Final = -1e9
"""The score of an empty position."""
REQUESTS_AT_ONCE: Final = 512
"""More requests are scored part by part, which bounds memory."""


class Scoring(Protocol):
    """Whatever gives the items of lists scores."""

    def __call__(self, requests: Requests, initial_BN: Tensor) -> Tensor:
        """Give `score_BN`, one for each position of the initial lists."""


class Reranker(nn.Module, ABC):
    """Scores the items of a list in sight of the others."""

    def __init__(self, shape: InputShape, config: InputConfig, positions: int) -> None:
        super().__init__()
        self.shape, self.positions = shape, positions
        self.read = ItemInput(shape, config)

    def forward(self, requests: Requests, initial_BN: Tensor) -> Tensor:
        """Give `score_BN`; `NOTHING_THERE` at empty positions.

        Raises:
            ShapeMismatch: If there isn't one list a request.
            ValueOutOfRange: If the lists have more positions than the re-ranker knows.
        """
        if initial_BN.ndim != 2 or initial_BN.shape[0] != requests.B:
            raise ShapeMismatch(f"initial lists are of ({requests.B}, N), not {tuple(initial_BN.shape)}")
        if initial_BN.shape[1] > self.positions:
            message = f"lists of {initial_BN.shape[1]}; the re-ranker knows {self.positions} positions"
            raise ValueOutOfRange(message, hint="re-rank shorter lists, or train for longer ones")
        filled_BN = initial_BN != EMPTY
        item_BMD = self.read(requests)
        at_BND = initial_BN.clamp(min=0).unsqueeze(-1).expand(-1, -1, item_BMD.shape[-1])
        item_BND = item_BMD.gather(1, at_BND) * filled_BN.unsqueeze(-1)
        return self.score(item_BND, filled_BN).masked_fill(~filled_BN, NOTHING_THERE)

    @abstractmethod
    def score(self, item_BND: Tensor, filled_BN: Tensor) -> Tensor:
        """Give `score_BN` of items in their initial order, 0 where nothing stands; whatever there."""

    @abstractmethod
    def loss(self, score_BN: Tensor, gain_BN: Tensor, filled_BN: Tensor) -> Tensor:
        """What training descends: the paper's, mean over the lists; gains are at least 0."""


@torch.no_grad()
def reranked(scoring: Scoring, requests: Requests, initial_BN: Tensor) -> Tensor:
    """The lists sorted by score, as `slate_BN`; equals keep their initial order.

    Put a `Reranker` into its evaluation mode first.
    """
    slates = []
    for row_B in torch.split(torch.arange(requests.B), REQUESTS_AT_ONCE):
        list_BN = initial_BN[row_B]
        score_BN = scoring(requests.select(row_B), list_BN).masked_fill(list_BN == EMPTY, -torch.inf)
        order_BN = score_BN.sort(dim=-1, descending=True, stable=True).indices
        slates.append(list_BN.gather(1, order_BN))
    return torch.cat(slates)
