"""What weights would bring, as something that can be asked says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A metric that was measured, and the standard error of its mean; 0 where it is exact."""

    mean: float
    error: float = 0.0


class WhatIf(Protocol):
    """A simulator, a re-ranker on logged requests, or an estimate off policy: weights in, metrics out.

    The same weights and seed give the same answer.
    """

    @property
    def name(self) -> str:
        """What it is called in reports, such as `simulator`."""
        ...

    @property
    def metrics(self) -> Sequence[str]:
        """What it measures, by the names of simulated outcomes or of utilities; more is better."""
        ...

    def expected(self, weights: Sequence[Mapping[str, float]], *, seed: int = 0) -> Sequence[Mapping[str, Expected]]:
        """The metrics of each of the weights, which are by the scenario's utilities."""
        ...
