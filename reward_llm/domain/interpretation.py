"""What a goal was read as: the reading before any weight."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reward_llm.domain.goal import Window

MAX_INTENTS: Final = 6


class Decision(StrEnum):
    """Whether the goal asks for anything that a utility measures."""

    PROPOSE = "propose"
    NO_CHANGE = "no_change"


class Direction(StrEnum):
    """Where a utility's weight is to go."""

    RAISE = "raise"
    LOWER = "lower"
    HOLD = "hold"


class Emphasis(StrEnum):
    """How strongly the text asks for it."""

    SLIGHT = "slight"
    CLEAR = "clear"
    DOMINANT = "dominant"

    @property
    def strength(self) -> float:
        """The share of its free range that a weight moves (`reward_llm.domain.weighting`)."""
        return _STRENGTH[self]


_STRENGTH: Final = {Emphasis.SLIGHT: 0.3, Emphasis.CLEAR: 0.6, Emphasis.DOMINANT: 1.0}


class Role(StrEnum):
    """What an intent is for."""

    OBJECTIVE = "objective"
    GUARDRAIL = "guardrail"


class Reader(StrEnum):
    """Who read an intent out of the text."""

    MODEL = "model"
    RULES = "rules"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters [start, end) of the goal's text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The characters themselves."""
        return text[self.start : self.end]

    def overlaps(self, other: Span) -> bool:
        """Whether the two share a character."""
        return self.start < other.end and other.start < self.end


class Unit(StrEnum):
    """What a number counts."""

    COUNT = "count"
    MONEY = "money"
    PERCENT = "percent"
    """A share; 15 % has the value 0.15."""
    POINTS = "points"
    """A difference of shares; +2pp has the value 0.02."""
    MULTIPLE = "multiple"
    """A factor; 翻倍 and "double" have the value 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number in the text.

    `currency` is an ISO 4217 code where the text names one.
    """

    value: float
    unit: Unit
    span: Span
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedSpan:
    """A place of the text and the window that it names; 'by March 31' leaves the window's start open."""

    span: Span
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One thing that the text asks for.

    `spans` is the evidence in the text, empty where no single place says it. `confidence` is the reader's
    probability that utility and direction are right, None where the reader gives none.
    """

    utility: str
    direction: Direction
    emphasis: Emphasis
    spans: tuple[Span, ...] = ()
    target: Quantity | None = None
    read_by: Reader = Reader.MODEL
    confidence: float | None = None

    @property
    def role(self) -> Role:
        """A hold is a guardrail, everything else an objective."""
        return Role.GUARDRAIL if self.direction is Direction.HOLD else Role.OBJECTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something about a reading that a person should know."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretation:
    """The reading of one goal: `intents` is empty exactly when the decision is no_change.

    `completeness` is the reader's probability that the text asks for nothing beyond the intents; of a no_change
    reading, that it asks for nothing at all. None where the reader gives none. `calibrated` says that these
    probabilities were fitted to how often such readings are right.
    """

    decision: Decision
    intents: tuple[Intent, ...] = ()
    rationale: str = ""
    notices: tuple[Notice, ...] = ()
    completeness: float | None = None
    calibrated: bool = False

    def intent(self, utility: str) -> Intent | None:
        """The intent on that utility, if there is one."""
        return next((i for i in self.intents if i.utility == utility), None)

    @property
    def confidence(self) -> float | None:
        """That of the least certain thing about the reading, an intent or that there are no more; None if unknown."""
        parts = [*(i.confidence for i in self.intents), self.completeness]
        return min((p for p in parts if p is not None), default=None)
