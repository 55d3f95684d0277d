"""Logged decisions, and how likely another way to choose makes the same ones.

N decisions, C contexts, A actions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reward_llm.errors import LogUnusable

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LoggedDecisions:
    """What was chosen with which probability, and what came of it.

    Args:
        reward_N: What came of it, such as 1 for a click.
        propensity_N: With what probability the logging policy chose it, over 0 and at most 1.
        target_N: With what probability the other policy chooses the same, 0 to 1.

    Raises:
        LogUnusable: If they are none or disagree on N, a probability is out of range, or a reward isn't finite.
    """

    reward_N: Floats
    propensity_N: Floats
    target_N: Floats

    def __post_init__(self) -> None:
        shape = self.reward_N.shape
        if len(shape) != 1 or not shape[0] or shape != self.propensity_N.shape or shape != self.target_N.shape:
            raise LogUnusable("rewards, propensities and target probabilities must be as many, and some")
        if not ((self.propensity_N > 0) & (self.propensity_N <= 1)).all():
            raise LogUnusable(
                "propensities must be over 0 and at most 1",
                hint="Log the probability that the item had before it was chosen.",
            )
        if not ((self.target_N >= 0) & (self.target_N <= 1)).all():
            raise LogUnusable("target probabilities must be 0 to 1")
        if not np.isfinite(self.reward_N).all():
            raise LogUnusable("rewards must be finite")

    @property
    def weight_N(self) -> Floats:
        """Importance weights, target over logged probability."""
        weight_N: Floats = self.target_N / self.propensity_N
        return weight_N

    def __len__(self) -> int:
        return len(self.reward_N)
