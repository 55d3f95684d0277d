"""Weights on the simplex."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from reward_llm.errors import WeightsInvalid

DECIMALS: Final = 4
"""Weights are kept to this many decimals; the last ones are settled so that they add up to 1 exactly."""
MAX_UTILITIES: Final = 32
_UNIT: Final = 10**DECIMALS
_TOLERANCE: Final = 1e-6


class Weights(Mapping[str, float]):
    """A weight for each utility: every one at least 0, together 1.

    >>> Weights({"click": 0.7, "gmv": 0.3}).distance(Weights({"click": 0.5, "gmv": 0.5}))
    0.4

    Raises:
        WeightsInvalid: If a weight is negative or not finite, or the sum is off 1 by more than 1e-6.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, float]) -> None:
        bad = [k for k, v in values.items() if not math.isfinite(v) or v < 0]
        if bad:
            raise WeightsInvalid(f"weights must be finite and not negative: {', '.join(bad)}")
        total = math.fsum(values.values())
        if abs(total - 1) > _TOLERANCE:
            raise WeightsInvalid(
                f"weights add up to {total:.6g}, not to 1", hint="Scale them so that their sum is 1."
            )
        self._values: Mapping[str, float] = MappingProxyType(dict(values))

    @classmethod
    def rounded(cls, values: Mapping[str, float]) -> Weights:
        """Weights of `DECIMALS` decimals that add up to 1 exactly, by largest remainder.

        >>> dict(Weights.rounded({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}))
        {'a': 0.3334, 'b': 0.3333, 'c': 0.3333}

        Raises:
            WeightsInvalid: As the constructor.
        """
        exact = {k: v * _UNIT for k, v in cls(values).items()}
        units = {k: math.floor(v + _TOLERANCE) for k, v in exact.items()}
        missing = _UNIT - sum(units.values())
        by_remainder = sorted(exact, key=lambda k: (units[k] - exact[k], k))
        for k in by_remainder[:missing]:
            units[k] += 1
        return cls({k: u / _UNIT for k, u in units.items()})

    def __getitem__(self, utility: str) -> float:
        return self._values[utility]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"Weights({dict(self._values)})"

    @property
    def vector(self) -> tuple[float, ...]:
        """The weights alone, in the order of their utilities."""
        return tuple(self._values.values())

    def distance(self, other: Mapping[str, float]) -> float:
        """The L1 distance to weights over the same utilities, in [0, 2]."""
        return round(math.fsum(abs(v - other[k]) for k, v in self._values.items()), 10)
