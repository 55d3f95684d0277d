"""When a reading needs a person, and what else the goal may mean."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reward_llm.domain.interpretation import Interpretation

MAX_ALTERNATIVES: Final = 3


class ReviewReason(StrEnum):
    """Why a person must look at a reading."""

    LOW_CONFIDENCE = "low_confidence"
    """Its confidence lies below the threshold."""
    NO_CONFIDENCE = "no_confidence"
    """There is a threshold, but the model told no probabilities."""
    READ_BY_RULES = "read_by_rules"
    """A list of words read it, which knows nothing of how sure it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another reading of the goal.

    `probability` is the model's own, at the place of its answer where the two part.
    """

    reading: Interpretation
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Why a person must look at a reading, the confidence that would have spared it, and other readings."""

    reason: ReviewReason
    threshold: float | None = None
    alternatives: tuple[Alternative, ...] = ()
