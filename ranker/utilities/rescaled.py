"""A utility stretched over the range that it really takes."""

# B batch, S slates a request, N slate

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ranker.errors import UtilityInvalid
from ranker.requests import Requests, SlatePredictions
from ranker.utilities.port import Utility
from ranker.utilities.registry import UtilityRegistry
from ranker.utilities.shown import filled


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescaled:
    """U' = clip((U - low) / (high - low), 0, 1).

    Expected clicks lie within a few hundredths and variety within a few tenths: unscaled, one weight says ten times
    as much as the other.

    Raises:
        UtilityInvalid: Unless 0 <= low < high <= 1.
    """

    utility: Utility
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 1:
            raise UtilityInvalid(f"{self.utility.name} can't be rescaled from [{self.low}, {self.high}]")

    @classmethod
    def fitted(cls, utility: Utility, value_I: Tensor, *, tail: float = 0.02) -> Rescaled:
        """Give the utility over the range of values that it took, such as on logged and random slates.

        Args:
            utility: What is rescaled.
            value_I: Its values.
            tail: Share of the values at either end that may lie outside, in [0, 0.5).

        Raises:
            UtilityInvalid: If all values but the tails are the same.
        """
        low, high = torch.quantile(value_I.double(), torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
        return cls(utility=utility, low=low, high=high)

    @property
    def name(self) -> str:
        """The utility's own name."""
        return self.utility.name

    def value(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        """Give the utility's value over its range; an empty slate stays 0."""
        value_BS = self.utility.value(slate_BSN, requests, predictions)
        return ((value_BS - self.low) / (self.high - self.low)).clamp(0, 1) * filled(slate_BSN).any(-1)


def stretched(registry: UtilityRegistry, ranges: Mapping[str, tuple[float, float]]) -> UtilityRegistry:
    """Give the utilities, the named ones over their ranges; one that is rescaled already stays as it is.

    Raises:
        UtilityUnknown: If a name isn't there.
        UtilityInvalid: If a range isn't one.
    """
    for name, (low, high) in ranges.items():
        if not isinstance(registry[name], Rescaled):
            registry = registry.replacing(Rescaled(utility=registry[name], low=low, high=high))
    return registry
