"""From a model's probabilities to how often it is right.

Platt scaling (Platt 1999) on the log-odds: two numbers a map, fitted by `reward_llm.tuning.calibration`. On some
hundreds of points it is the safer choice beside isotonic regression, which needs more not to follow their noise
(Niculescu-Mizil and Caruana 2005).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from reward_llm.domain.interpretation import Decision, Interpretation
from reward_llm.domain.review import ReviewReason

EPSILON: Final = 1e-6
"""Probabilities are kept so far from 0 and 1, where log-odds end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """A monotone map of probabilities: logit p′ = slope · logit p + intercept, with slope ≥ 0."""

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, probability: float) -> float:
        """The calibrated probability.

        >>> round(Scaling(slope=0.5)(0.99), 3)
        0.909
        """
        return sigmoid(self.slope * logit(probability) + self.intercept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How one model's probabilities are to be taken.

    A reading whose confidence lies below `threshold` needs a person.
    """

    intent: Scaling
    """Of an intent's: that utility and direction are right."""
    completeness: Scaling
    """Of a proposing reading's: that nothing else was asked for."""
    no_change: Scaling
    """Of a no_change reading's: that nothing was asked for."""
    threshold: float

    def apply(self, reading: Interpretation) -> Interpretation:
        """The reading with calibrated probabilities."""
        whole = self.no_change if reading.decision is Decision.NO_CHANGE else self.completeness
        return replace(
            reading,
            intents=tuple(replace(i, confidence=_scaled(self.intent, i.confidence)) for i in reading.intents),
            completeness=_scaled(whole, reading.completeness),
            calibrated=True,
        )

    def doubt(self, reading: Interpretation) -> ReviewReason | None:
        """Why a calibrated reading needs a person; None if it needs none."""
        if reading.confidence is None:
            return ReviewReason.NO_CONFIDENCE
        return ReviewReason.LOW_CONFIDENCE if reading.confidence < self.threshold else None


def logit(probability: float) -> float:
    """The log-odds of a probability in [0, 1], kept finite."""
    kept = min(max(probability, EPSILON), 1 - EPSILON)
    return math.log(kept / (1 - kept))


def sigmoid(log_odds: float) -> float:
    """The probability of log-odds, however large."""
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    return math.exp(log_odds) / (1 + math.exp(log_odds))


def _scaled(scaling: Scaling, probability: float | None) -> float | None:
    return None if probability is None else scaling(probability)
