"""What every error is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One thing that is wrong with a value, and where."""

    path: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field in which what was sent and what there is now part; both are JSON values."""

    path: str
    yours: Any
    current: Any


class RewardLLMError(Exception):
    """The root of the tree."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str | None = None, violations: Sequence[Violation] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.violations = tuple(violations)
