"""Readings that need a person, and what else their goals may mean."""

from __future__ import annotations

from pydantic import Field

from reward_llm.api.wire.base import Outgoing
from reward_llm.domain.interpretation import Decision, Direction, Emphasis
from reward_llm.domain.review import Alternative, Review, ReviewReason


class AlternativeIntentWire(Outgoing):
    """One thing that the text may ask for."""

    utility: str
    direction: Direction
    emphasis: Emphasis


class AlternativeWire(Outgoing):
    """Another reading of the goal."""

    decision: Decision
    intents: list[AlternativeIntentWire]
    probability: float = Field(description="The model's own, at the place of its answer where the two part.")

    @classmethod
    def of(cls, alternative: Alternative) -> AlternativeWire:
        """The alternative itself."""
        reading = alternative.reading
        intents = [
            AlternativeIntentWire(utility=i.utility, direction=i.direction, emphasis=i.emphasis)
            for i in reading.intents
        ]
        return cls(decision=reading.decision, intents=intents, probability=alternative.probability)


class ReviewWire(Outgoing):
    """Why a person must look at a reading."""

    reason: ReviewReason
    threshold: float | None = Field(description="The confidence that would have spared it.")
    alternatives: list[AlternativeWire] = Field(description="Other readings, the likeliest first; three at most.")

    @classmethod
    def of(cls, review: Review) -> ReviewWire:
        """The review itself."""
        return cls(
            reason=review.reason,
            threshold=review.threshold,
            alternatives=[AlternativeWire.of(a) for a in review.alternatives],
        )
