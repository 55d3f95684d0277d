"""What a draft of a prompt is like, before it becomes a version."""

from __future__ import annotations

from dataclasses import dataclass

from reward_llm.errors import Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableUse:
    """A variable: whether anything gives it, whether the draft declares it, and which templates use it."""

    name: str
    given: bool
    declared: bool
    in_system: bool
    in_user: bool

    @property
    def is_right(self) -> bool:
        """Whether what is declared is used, what is used is declared, and something gives it."""
        return self.declared is (self.in_system or self.in_user) and (self.given or not self.declared)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptCheck:
    """What is wrong with a draft, nothing if it may become a version.

    `content_hash` is None for what can't be read as a prompt at all; then there are no variables to speak of either.
    """

    violations: tuple[Violation, ...]
    variables: tuple[VariableUse, ...] = ()
    content_hash: str | None = None
