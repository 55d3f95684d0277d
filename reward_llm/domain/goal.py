"""A goal: what a person submitted, in their own words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from reward_llm.domain.scenario import Scope
from reward_llm.errors import GoalInvalid

MAX_TEXT_CHARS: Final = 4_000
MAX_TARGETS: Final = 32


class GoalState(StrEnum):
    """How far a goal has come."""

    RECEIVED = "received"
    """On record, not read yet."""
    PROPOSED = "proposed"
    """Read; its proposal waits for a decision."""
    NO_CHANGE = "no_change"
    """Read; it asks for nothing that a utility measures, or nothing could be read from it."""
    ACTIVATED = "activated"
    """Its proposal was activated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From when until when a goal or an activation holds; None leaves that side open.

    Raises:
        GoalInvalid: If it ends before it starts, or a time has no UTC offset.
    """

    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("valid_from", "valid_until"):
            moment: datetime | None = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise GoalInvalid(f"{name} has no UTC offset", hint="Write it as 2026-06-18T00:00:00+08:00.")
        if self.valid_from and self.valid_until and self.valid_until <= self.valid_from:
            raise GoalInvalid(
                f"the window ends ({self.valid_until.isoformat()}) before it starts ({self.valid_from.isoformat()})",
                hint="Swap valid_from and valid_until, or leave one out.",
            )

    def covers(self, moment: datetime) -> bool:
        """Whether the moment lies in [valid_from, valid_until)."""
        return (self.valid_from is None or self.valid_from <= moment) and (
            self.valid_until is None or moment < self.valid_until
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A business goal for a scope.

    `targets` are the numbers that the sender states beside the text, by utility, in the utility's own metric.

    Raises:
        GoalInvalid: If the text is blank, longer than `MAX_TEXT_CHARS` or holds control characters, or a target
            isn't a finite number.
    """

    id: str
    scope: Scope
    text: str
    submitted_at: datetime
    targets: Mapping[str, float] = field(default_factory=dict)
    window: Window = field(default_factory=Window)
    submitted_by: str = "anonymous"

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise GoalInvalid("the goal is empty", hint="Say what the feed should do more, less or not worse of.")
        if len(self.text) > MAX_TEXT_CHARS:
            raise GoalInvalid(
                f"the goal has {len(self.text):,} characters; at most {MAX_TEXT_CHARS:,} are read",
                hint="Send the part that asks for something, without the appendix.",
            )
        if len(self.targets) > MAX_TARGETS:
            raise GoalInvalid(f"{len(self.targets)} targets; at most {MAX_TARGETS} are allowed")
        for utility, value in self.targets.items():
            if not math.isfinite(value):
                raise GoalInvalid(f"the target of {utility!r} is {value}, not a finite number")
