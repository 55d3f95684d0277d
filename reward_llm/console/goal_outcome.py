"""What comes of a goal's reading: weights beside those in force, how large a step that is, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Document = Mapping[str, Any]

_SMALL: Final = 1 / 3
_LARGE: Final = 2 / 3
"""Of the largest step that the gate lets through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Weights, and what they would take to be in force."""

    weights: Mapping[str, float]
    before: Mapping[str, float] | None
    """The weights in force when the goal was read, or now for a corrected reading; None if that isn't known."""
    max_step: float
    approvals: int
    given: int
    reasons: Sequence[str]
    gate: Sequence[Document] = ()
    """What the gate would refuse the weights for."""
    is_corrected: bool = False

    @classmethod
    def of_proposal(cls, proposal: Document, scenario: Document) -> Outcome:
        """What the goal's own proposal comes to."""
        needed = proposal["requirement"] or {"approvals": 0, "given": 0, "reasons": []}
        return cls(
            weights=proposal["weights"],
            before=proposal["previous_weights"],
            max_step=scenario["max_step"],
            approvals=needed["approvals"],
            given=needed["given"],
            reasons=needed["reasons"],
        )

    @classmethod
    def of_weighing(cls, weighed: Document, scenario: Document) -> Outcome:
        """What a person's reading comes to."""
        return cls(
            weights=weighed["weights"],
            before=weighed["now"],
            max_step=scenario["max_step"],
            approvals=weighed["requirement"]["approvals"],
            given=0,
            reasons=weighed["requirement"]["reasons"],
            gate=weighed["gate"],
            is_corrected=True,
        )

    @property
    def step(self) -> float:
        """The L1 distance between the weights."""
        return sum(abs(w - (self.before or {}).get(u, w)) for u, w in self.weights.items())

    @property
    def step_share(self) -> float:
        """The step as a share of the largest that the gate lets through."""
        return min(1.0, self.step / self.max_step) if self.max_step else 0.0

    @property
    def risk(self) -> str:
        """How far the change goes: `none`, `small`, `medium` or `large`."""
        if self.step_share < 1e-9:
            return "none"
        return "small" if self.step_share < _SMALL else "medium" if self.step_share < _LARGE else "large"

    @property
    def missing(self) -> int:
        """Approvals that are still to be given."""
        return max(0, self.approvals - self.given)
