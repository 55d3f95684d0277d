"""Review rules: how many people must approve of a change.

change ─► every rule that fits ─► the highest number of approvals, and why
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reward_llm.domain.source import Source
from reward_llm.domain.weights import DECIMALS, Weights

MAX_APPROVALS: Final = 5
_TOLERANCE: Final = 1.5 * 10.0**-DECIMALS
"""Rounding moves a weight by up to one unit of its last decimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedRule:
    """When more approvals are needed; of several conditions in one rule all must hold.

    `step_over` is an L1 distance from the weights in force, `lowers` are utilities of which any gets less than it
    has in force, `sources` are where the weights came from, and `unsure` is a reading that needs a person.
    """

    approvals: int
    step_over: float | None = None
    lowers: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    unsure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRules:
    """Approvals that an ordinary change needs, whether the author's own counts, and when more are needed."""

    approvals: int = 0
    self_approval: bool = False
    raised: tuple[RaisedRule, ...] = ()

    def problems(self, utilities: frozenset[str]) -> Iterator[str]:
        """What is wrong with the rules for a scenario of these utilities."""
        yield from _bad_number("review", self.approvals)
        for place, rule in enumerate(self.raised):
            name = f"review.raised[{place}]"
            yield from _bad_number(name, rule.approvals)
            if not (rule.step_over is not None or rule.lowers or rule.sources or rule.unsure):
                yield f"{name} has no condition"
            if rule.step_over is not None and not 0 <= rule.step_over <= 2:
                yield f"{name}: step_over must be 0 to 2"
            yield from (f"{name}: {u!r} isn't one of its utilities" for u in rule.lowers if u not in utilities)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be put in force, against the weights `active` then.

    `unsure` says that the reading that the weights came from needs a person.
    """

    weights: Weights
    active: Weights
    source: Source
    unsure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """How many approvals a change needs, whether the author's own counts, and why it isn't fewer."""

    approvals: int
    self_approval: bool
    reasons: tuple[str, ...] = ()


def requirement(rules: ReviewRules, change: Change) -> Requirement:
    """What the rules ask of the change."""
    met = [(rule, reasons) for rule in rules.raised if (reasons := _reasons(rule, change))]
    needed = max([rules.approvals, *(rule.approvals for rule, _ in met)])
    why = [r for rule, reasons in met if rule.approvals == needed for r in reasons]
    if needed and needed == rules.approvals:
        why = ["every change needs it", *why]
    return Requirement(
        approvals=needed, self_approval=rules.self_approval, reasons=tuple(dict.fromkeys(why)) if needed else ()
    )


def _reasons(rule: RaisedRule, change: Change) -> tuple[str, ...]:
    """Why the rule fits, one reason a condition; empty if one of its conditions doesn't hold."""
    reasons = []
    for reason in _conditions(rule, change):
        if reason is None:
            return ()
        reasons.append(reason)
    return tuple(reasons)


def _conditions(rule: RaisedRule, change: Change) -> Iterator[str | None]:
    """The reason of each condition that holds, None for one that doesn't."""
    if rule.step_over is not None:
        step = change.active.distance(change.weights)
        yield f"an L1 step of {step:.3g} is over {rule.step_over:g}" if step > rule.step_over else None
    if rule.lowers:
        lowered = [u for u in rule.lowers if change.weights[u] < change.active[u] - _TOLERANCE]
        yield f"it lowers {', '.join(lowered)}" if lowered else None
    if rule.sources:
        yield f"its weights come from {change.source.value}" if change.source in rule.sources else None
    if rule.unsure:
        yield "its reading needs a person" if change.unsure else None


def _bad_number(name: str, approvals: int) -> Iterator[str]:
    if not 0 <= approvals <= MAX_APPROVALS:
        yield f"{name}: approvals must be 0 to {MAX_APPROVALS}"
