"""The parameters that weights make, kept: they are the same for every request with the same weights."""

# B batch, K utilities

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from ranker.actor import Actor
from ranker.hypernet import on_simplex


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Weights on the simplex, and what they make of the actor."""

    simplex_1K: Tensor
    parameters: Any


class Conditions:
    """The conditions of the weight vectors that were used last.

    Args:
        actor: Whose parameters they are.
        prepared: Brings the parameters into the form that they are used in.
        most: How many are kept.
    """

    def __init__(self, actor: Actor, prepared: Callable[[dict[str, Tensor]], Any], most: int) -> None:
        self._actor, self._prepared, self._most = actor, prepared, most
        self._kept: OrderedDict[bytes, Condition] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, weights_BK: Tensor) -> list[Condition]:
        """Give the condition of every row; the weights are checked."""
        return [self._one(row_1K, row_1K.numpy().tobytes()) for row_1K in torch.split(weights_BK, 1)]

    def _one(self, weights_1K: Tensor, key: bytes) -> Condition:
        with self._lock:
            if (known := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return known
        with torch.inference_mode():
            simplex_1K = on_simplex(weights_1K)
            made = Condition(simplex_1K=simplex_1K, parameters=self._prepared(self._actor.condition(weights_1K)))
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made
