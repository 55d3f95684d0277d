"""A reading against its goal, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from reward_llm.domain.interpretation import Decision, Interpretation
from reward_llm.tuning.calibration.goals import JudgedGoal
from reward_llm.tuning.calibration.quality import Point


class Part(StrEnum):
    """What of a reading has a probability of its own."""

    INTENT = "intent"
    COMPLETENESS = "completeness"
    NO_CHANGE = "no_change"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedReading:
    """A reading with the truth of its parts; None where its goal doesn't say."""

    reading: Interpretation
    intents: tuple[bool | None, ...]
    complete: bool | None

    @property
    def right(self) -> bool | None:
        """Whether all that was judged is right; None if nothing was."""
        judged = [v for v in (*self.intents, self.complete) if v is not None]
        return all(judged) if judged else None

    def points(self) -> Iterator[tuple[Part, Point]]:
        """Every part that has a probability and was judged."""
        for intent, right in zip(self.reading.intents, self.intents, strict=True):
            if intent.confidence is not None and right is not None:
                yield Part.INTENT, Point(intent.confidence, right)
        whole = Part.NO_CHANGE if self.reading.decision is Decision.NO_CHANGE else Part.COMPLETENESS
        if self.reading.completeness is not None and self.complete is not None:
            yield whole, Point(self.reading.completeness, self.complete)


def judge(goal: JudgedGoal, reading: Interpretation) -> JudgedReading:
    """The reading judged: intents by utility and direction, its completeness by what it lacks of what is asked."""
    asked = goal.asked
    return JudgedReading(
        reading=reading,
        intents=tuple(
            asked[i.utility] is i.direction if i.utility in asked else False if goal.exhaustive else None
            for i in reading.intents
        ),
        complete=all(reading.intent(u) for u in asked) if asked or goal.exhaustive else None,
    )
