"""How many were right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many right, of so many."""

    right: int
    of: int

    @classmethod
    def over(cls, verdicts: Iterable[bool]) -> Share:
        """How many of the verdicts are true."""
        counts = Counter(verdicts)
        return cls(right=counts[True], of=counts.total())

    @property
    def value(self) -> float | None:
        """The share in [0, 1], None of nothing."""
        return self.right / self.of if self.of else None

    def change_from(self, baseline: Share) -> float | None:
        """How far the share lies above the baseline's, in [-1, 1]; None where either is of nothing."""
        if self.value is None or baseline.value is None:
            return None
        return self.value - baseline.value
