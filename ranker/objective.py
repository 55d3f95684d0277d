"""What an actor is to maximise: R_w = sum_k w_k U_k, with the evaluator's predictions where a utility needs them.

B batch, S slates a request, N slate, K utilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ranker.evaluator import Evaluator
from ranker.hypernet import on_simplex
from ranker.requests import Requests
from ranker.utilities import UtilityRegistry, reward

SLATES_AT_ONCE: Final = 4_096
"""More slates are valued part by part, which bounds memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """Utilities of slates, and what weights make of them."""

    utilities: UtilityRegistry
    evaluator: Evaluator | None = None
    """None where no utility needs predictions."""

    @torch.no_grad()
    def values(self, requests: Requests, slate_BSN: Tensor) -> Tensor:
        """U_BSK of S slates a request.

        Raises:
            PredictionsMissing: If a utility needs the evaluator, and there is none.
        """
        at_once = max(1, SLATES_AT_ONCE // requests.B)
        parts = [self._values(requests, part_BSN) for part_BSN in torch.split(slate_BSN, at_once, dim=1)]
        return torch.cat(parts, dim=1)

    def reward(self, requests: Requests, weights_BK: Tensor, slate_BSN: Tensor) -> Tensor:
        """R_BS of S slates a request, in [0, 1]: weights count by their proportions.

        Raises:
            PredictionsMissing: If a utility needs the evaluator, and there is none.
        """
        return reward(on_simplex(weights_BK), self.values(requests, slate_BSN))

    def _values(self, requests: Requests, slate_BSN: Tensor) -> Tensor:
        predictions = None if self.evaluator is None else self.evaluator.predict(requests, slate_BSN)
        return self.utilities.values(slate_BSN, requests, predictions)
