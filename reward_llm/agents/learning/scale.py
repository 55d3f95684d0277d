"""Returns in units of their own spread, so that a critic's outputs and limits don't depend on the rewards'."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

KEEP: Final = 0.9
"""Share of what is known of the returns that a rollout leaves as it was."""
LEAST: Final = 1e-4
"""Smallest spread."""


class ReturnScale:
    """A running mean and standard deviation (value normalisation, Yu et al. 2022)."""

    def __init__(self) -> None:
        self._sums = torch.zeros(3, dtype=torch.float64)
        """Weights, returns, squared returns."""

    def follow(self, return_B: Tensor) -> None:
        """Take note of a rollout's returns."""
        exact_B = return_B.double()
        fresh = torch.stack([torch.ones((), dtype=torch.float64), exact_B.mean(), exact_B.square().mean()])
        self._sums = KEEP * self._sums + (1 - KEEP) * fresh

    def normal(self, return_B: Tensor) -> Tensor:
        """Returns less their mean, in standard deviations."""
        mean, deviation = self._moments()
        return (return_B - mean) / deviation

    def restored(self, normal_B: Tensor) -> Tensor:
        """The other way round."""
        mean, deviation = self._moments()
        return normal_B * deviation + mean

    def state_dict(self) -> dict[str, Tensor]:
        """The sums."""
        return {"sums": self._sums}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from a state."""
        self._sums = state["sums"].clone()

    def _moments(self) -> tuple[float, float]:
        weight, total, squares = self._sums.tolist()
        if not weight:
            return 0.0, 1.0
        mean = total / weight
        return mean, max(squares / weight - mean**2, LEAST**2) ** 0.5
