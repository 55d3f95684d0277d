"""The slates that a search may give, and what it gives."""

# M candidates, S slates, N slate, K utilities

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor

from ranker.errors import SearchInvalid
from ranker.requests import UNPINNED, Requests, SlatePredictions
from ranker.utilities import UtilityRegistry, normalised, reward

Objective = Callable[[Tensor], Tensor]
"""Values slates: int64 of (S, N), -1 at the end of prefixes, to float of (S,)."""
Predict = Callable[[Requests, Tensor], SlatePredictions]
"""`Evaluator.predict`: one request and slates of (1, S, N) to what is expected of them."""

CHUNK: Final = 8_192
"""Slates valued at once, so that memory stays bounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlateSpace:
    """All slates of `size` different `items`, with the pinned ones in their slots.

    Raises:
        SearchInvalid: If there are too few items, an item is named twice or a pin is outside the slate.
    """

    items: tuple[int, ...]
    """Candidates that may be shown, without the pinned ones."""
    size: int
    pins: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    """The candidate of a slot."""

    def __post_init__(self) -> None:
        named = [*self.items, *self.pins.values()]
        if len(set(named)) < len(named):
            raise SearchInvalid("a candidate is named twice")
        if self.size < 1 or any(not 0 <= slot < self.size for slot in self.pins):
            raise SearchInvalid(f"pins to slots {sorted(self.pins)} don't fit a slate of {self.size}")
        if len(named) < self.size:
            raise SearchInvalid(
                f"{len(named)} candidates can't fill {self.size} slots", hint="ask for a shorter slate"
            )

    @classmethod
    def free(cls, *, candidates: int, size: int) -> SlateSpace:
        """Give all slates of the first `candidates` candidates."""
        return cls(items=tuple(range(candidates)), size=size)

    @classmethod
    def of_request(cls, requests: Requests, row: int, size: int) -> SlateSpace:
        """Give the slates that a request allows: no padding, nothing forbidden, pins kept."""
        allowed_M, pinned_M = requests.allowed_BM[row], requests.pinned_BM[row]
        pins = {int(pinned_M[item]): int(item) for item in (pinned_M != UNPINNED).nonzero()[:, 0]}
        items = (allowed_M & (pinned_M == UNPINNED)).nonzero()[:, 0].tolist()
        return cls(items=tuple(items), size=size, pins=MappingProxyType(pins))

    @property
    def free_slots(self) -> tuple[int, ...]:
        """Slots that nothing is pinned to."""
        return tuple(slot for slot in range(self.size) if slot not in self.pins)

    def filled(self, ranked: Iterable[int]) -> tuple[int, ...]:
        """Give the slate that has `ranked` in its free slots, in that order."""
        rest = iter(ranked)
        return tuple(self.pins[slot] if slot in self.pins else next(rest) for slot in range(self.size))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found."""

    slate: tuple[int, ...]
    reward: float
    valued: int
    """Slates and prefixes that the objective was asked for."""
    bound: float | None = None
    """No slate is worth more than this, where the search can tell; equal to `reward` for the proven best."""


def value_all(objective: Objective, slate_SN: Tensor) -> Tensor:
    """Value slates in chunks."""
    with torch.no_grad():
        return torch.cat([objective(chunk).double() for chunk in torch.split(slate_SN, CHUNK)])


def best_of(objective: Objective, slates: Iterable[tuple[int, ...]]) -> Found:
    """Give the most valued of some slates; the first of equals.

    Raises:
        SearchInvalid: If there are none.
    """
    known = list(dict.fromkeys(slates))
    if not known:
        raise SearchInvalid("there is no slate to choose from")
    value_S = value_all(objective, torch.tensor(known))
    place = int(value_S.argmax())
    return Found(slate=known[place], reward=float(value_S[place]), valued=len(known))


def request_objective(
    requests: Requests, row: int, utilities: UtilityRegistry, weights_K: Tensor, predict: Predict | None = None
) -> Objective:
    """Give R_w of one request's slates; `predict` is needed where a utility needs the evaluator.

    Raises:
        WeightsInvalid: If the weights are no weights.
    """
    request = requests.select([row])
    weights_BK = normalised(weights_K[None].float())

    def objective(slate_SN: Tensor) -> Tensor:
        predictions = predict(request, slate_SN[None]) if predict else None
        return reward(weights_BK, utilities.values(slate_SN[None], request, predictions))[0]

    return objective
