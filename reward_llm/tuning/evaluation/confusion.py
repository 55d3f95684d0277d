"""What lines expect of utilities against what was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

from reward_llm.tuning.evaluation.lines import Expectation
from reward_llm.tuning.evaluation.verdict import Reading


class Expected(StrEnum):
    """What a line expects of a utility."""

    RAISE = "raise"
    LOWER = "lower"
    HOLD = "hold"
    LEFT_ALONE = "left_alone"
    """The line expects `no_change`, and so nothing of any utility."""
    NOTHING_ASSERTED = "nothing_asserted"
    """The line doesn't say; whatever is read is neither right nor wrong by it."""


class Read(StrEnum):
    """What was read of a utility."""

    RAISE = "raise"
    LOWER = "lower"
    HOLD = "hold"
    NOTHING = "nothing"


AGREES = MappingProxyType(
    {
        Expected.RAISE: Read.RAISE,
        Expected.LOWER: Read.LOWER,
        Expected.HOLD: Read.HOLD,
        Expected.LEFT_ALONE: Read.NOTHING,
    }
)
"""The reading that agrees with an expectation; none does where nothing is asserted."""

Confusion = Mapping[Expected, Mapping[Read, int]]
"""How many (line, utility) were expected so and read so; every cell is there."""


def confusion(readings: Iterable[Reading], utilities: Sequence[str]) -> Confusion:
    """The counts over every line and utility."""
    cells = Counter((expected(r.line.expect, u), read(r, u)) for r in readings for u in utilities)
    return {e: {r: cells[e, r] for r in Read} for e in Expected}


def expected(expect: Expectation, utility: str) -> Expected:
    """What the line expects of the utility."""
    if expect.outcome is not None:
        return Expected.LEFT_ALONE
    named = {
        Expected.RAISE: expect.raised,
        Expected.LOWER: expect.lowered,
        Expected.HOLD: expect.held,
    }
    return next((e for e, utilities in named.items() if utility in utilities), Expected.NOTHING_ASSERTED)


def read(reading: Reading, utility: str) -> Read:
    """What was read of the utility."""
    intent = reading.proposal.interpretation.intent(utility) if reading.proposal else None
    return Read(intent.direction.value) if intent else Read.NOTHING
