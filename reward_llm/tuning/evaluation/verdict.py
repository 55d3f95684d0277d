"""A reading against what its line asserts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from reward_llm.domain.interpretation import Decision
from reward_llm.domain.policy import Proposal
from reward_llm.domain.scenario import HELD_FLOOR, Scenario
from reward_llm.domain.weights import Weights
from reward_llm.tuning.evaluation.lines import LabelledLine
from reward_llm.validation import gate

REFUSED: Final = "refused"
"""What stands for a source where a goal was refused before anybody read it."""
EPSILON: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one line led to; a goal that was refused unread changes nothing and has no proposal."""

    line: LabelledLine
    decision: Decision
    weights: Weights
    proposal: Proposal | None
    latency_ms: float

    @property
    def source(self) -> str:
        """Who answered."""
        return self.proposal.source.value if self.proposal else REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One thing that a line asserts, and whether it holds: `raise gmv`, `top click`, or `no_change` of no utility."""

    claim: str
    utility: str | None = None
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A reading against its line: one truth value for each thing that the line asserts."""

    reading: Reading
    valid: bool
    raised: tuple[bool, ...] = ()
    lowered: tuple[bool, ...] = ()
    held: tuple[bool, ...] = ()
    top: tuple[bool, ...] = ()
    outcome: tuple[bool, ...] = ()

    @property
    def directions(self) -> tuple[bool, ...]:
        """Every asserted raise, lower and hold."""
        return self.raised + self.lowered + self.held

    @property
    def asserted(self) -> tuple[bool, ...]:
        """Everything that the line asserts."""
        return self.directions + self.top + self.outcome

    @property
    def assertions(self) -> Iterator[Assertion]:
        """Everything that the line asserts, each with what it is about."""
        expect = self.reading.line.expect
        for claim, utilities, verdicts in (
            ("raise", expect.raised, self.raised),
            ("lower", expect.lowered, self.lowered),
            ("hold", expect.held, self.held),
            ("top", _known(expect.top), self.top),
        ):
            for utility, right in zip(utilities, verdicts, strict=True):
                yield Assertion(claim=claim, utility=utility, right=right)
        for claim, right in zip(_known(expect.outcome), self.outcome, strict=True):
            yield Assertion(claim=claim, right=right)

    @property
    def right(self) -> bool:
        """Whether the weights are valid and everything asserted holds."""
        return self.valid and all(self.asserted)


def judge(reading: Reading, scenario: Scenario) -> Verdict:
    """The reading against what its line asserts and against the gate; a missing weight is wrong everywhere."""
    defaults, expect = scenario.defaults, reading.line.expect
    weights = {u: reading.weights.get(u, math.nan) for u in defaults}
    interpretation = reading.proposal.interpretation if reading.proposal else None
    return Verdict(
        reading=reading,
        valid=not gate.check(reading.weights, scenario, defaults, interpretation),
        raised=tuple(weights[u] > defaults[u] + EPSILON for u in expect.raised),
        lowered=tuple(weights[u] < defaults[u] - EPSILON for u in expect.lowered),
        held=tuple(weights[u] >= HELD_FLOOR * defaults[u] - EPSILON for u in expect.held),
        top=tuple(_is_top(u, weights) for u in _known(expect.top)),
        outcome=tuple(reading.decision.value == outcome for outcome in _known(expect.outcome)),
    )


def _known(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


def _is_top(utility: str, weights: Mapping[str, float]) -> bool:
    return all(weights[utility] > value + EPSILON for other, value in weights.items() if other != utility)
