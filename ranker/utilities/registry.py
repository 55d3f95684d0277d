"""Utilities by name, in the order of the weight vector."""

# B batch, S slates a request, N slate, K utilities

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ranker.errors import UtilityInvalid, UtilityUnknown
from ranker.requests import Requests, SlatePredictions
from ranker.utilities.cold_start import ColdStart
from ranker.utilities.diversity import Diversity
from ranker.utilities.group_order import GroupOrder
from ranker.utilities.port import Utility
from ranker.utilities.predicted import Click, Gmv, Retention, Satisfaction

UTILITY_NAMES: Final = ("click", "gmv", "satisfaction", "retention", "diversity", "cold_start", "group_order")


@dataclass(frozen=True, slots=True)
class UtilityRegistry:
    """The utilities that a reward adds up.

    Raises:
        UtilityInvalid: If two have one name, or there is none.
    """

    utilities: tuple[Utility, ...]

    def __post_init__(self) -> None:
        if not self.utilities:
            raise UtilityInvalid("a reward needs at least one utility")
        if len(set(self.names)) < len(self.names):
            raise UtilityInvalid(f"two utilities have one name: {', '.join(self.names)}", hint="use `replacing`")

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order of the weights."""
        return tuple(utility.name for utility in self.utilities)

    def __len__(self) -> int:
        return len(self.utilities)

    def __iter__(self) -> Iterator[Utility]:
        return iter(self.utilities)

    def __getitem__(self, name: str) -> Utility:
        return self.utilities[self.index(name)]

    def index(self, name: str) -> int:
        """Give the place of a utility in the weight vector.

        Raises:
            UtilityUnknown: If there is none of that name.
        """
        if name not in self.names:
            raise UtilityUnknown(f"no utility is called {name!r}", hint=f"there are {', '.join(self.names)}")
        return self.names.index(name)

    def adding(self, utility: Utility) -> UtilityRegistry:
        """Give the same utilities and one more at the end."""
        return UtilityRegistry((*self.utilities, utility))

    def replacing(self, utility: Utility) -> UtilityRegistry:
        """Give the same utilities with this one in place of its namesake."""
        place = self.index(utility.name)
        return UtilityRegistry((*self.utilities[:place], utility, *self.utilities[place + 1 :]))

    def only(self, names: Iterable[str]) -> UtilityRegistry:
        """Give the named utilities, in the order of the names."""
        return UtilityRegistry(tuple(self[name] for name in names))

    def values(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        """Give U_BSK of every slate.

        Raises:
            PredictionsMissing: If a utility needs the evaluator and `predictions` is None.
        """
        return torch.stack([one.value(slate_BSN, requests, predictions) for one in self.utilities], dim=-1)


def default_utilities() -> UtilityRegistry:
    """Give the seven of `UTILITY_NAMES`."""
    return UtilityRegistry((Click(), Gmv(), Satisfaction(), Retention(), Diversity(), ColdStart(), GroupOrder()))
