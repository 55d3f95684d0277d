"""What a utility is."""

# B batch, M candidates, S slates a request, N slate

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from ranker.requests import Requests, SlatePredictions


class Utility(Protocol):
    """A named worth of a slate; `check_utility` holds it to the laws."""

    @property
    def name(self) -> str:
        """The name that weights go by."""

    def value(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        """Give U_BS in [0, 1], float32, for S slates a request (int64 indices; -1 where nothing is shown).

        Raises:
            PredictionsMissing: If it needs the evaluator and `predictions` is None.
        """
