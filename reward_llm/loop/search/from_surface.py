"""A response surface as something that can be asked: what is expected of weights, without trying them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reward_llm.domain.what_if import Expected


class Predicts(Protocol):
    """A surface, as far as it is asked here."""

    def predict(self, weights: Mapping[str, float]) -> Mapping[str, Expected]:
        """Every metric that is expected of the weights."""
        ...


@dataclass(frozen=True)
class SurfaceWhatIf:
    """Gives the same answer for every seed."""

    surface: Predicts
    metrics: Sequence[str]
    name: str = "surface"

    def expected(self, weights: Sequence[Mapping[str, float]], *, seed: int = 0) -> Sequence[Mapping[str, Expected]]:
        """What the surface expects of each of the weights."""
        return [self.surface.predict(one) for one in weights]
