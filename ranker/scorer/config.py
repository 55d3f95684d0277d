"""What a scorer is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ranker.errors import ValueOutOfRange

CONDITIONS_KEPT = 256
"""Weight vectors of which the actor's parameters stay in memory, the least recently used given up first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerConfig:
    """Which lists compete, and how they are computed.

    Raises:
        ValueOutOfRange: If a number is out of its range.
    """

    samples: int = 8
    """Lists drawn from the actor, beside its greedy one."""
    temperature: float = 1.0
    """Spread of the noise that they are drawn by; 1 draws as the actor's probabilities say."""
    greedy: bool = True
    """Whether the list that adds what gains most, slot by slot, competes."""
    greedy_positions: int = 6_000
    """About the most positions of prefixes that are valued for it: where there are more, each slot is offered only
    the most valued of the items on their own."""
    trade_offs: tuple[float, ...] = (0.9, 0.7, 0.5)
    """Of relevance against variety, in [0, 1]: an MMR list each."""
    temperatures: tuple[float, ...] = (2.0, 8.0)
    """At least 0: a DPP list each; 0 is for variety alone."""
    sweeps: int = 2
    """Most rounds of exchanges and swaps from the best list; 0 for none."""
    neighbours: int = 12
    """Items that aren't shown, the most valued on their own, that a slot is offered in a sweep."""
    sweep_positions: int = 8_000
    """Positions of slates valued after which no other slot is swept: many slots take no longer than few."""
    seed: int = 0
    """Of the noise; the same request and weights always give the same slate."""
    compiled: bool = True
    """Whether the compiled path is used where a C++ compiler is there."""
    threads: int = 1
    """Among which the requests of a batch are divided, on the compiled path."""
    cache: Path | None = None
    """Where the compiled path is kept; the user's cache folder, without it."""

    def __post_init__(self) -> None:
        if min(self.samples, self.sweeps, self.neighbours) < 0 or self.threads < 1:
            raise ValueOutOfRange("samples, sweeps and neighbours are at least 0, threads at least 1")
        if min(self.greedy_positions, self.sweep_positions) < 0:
            raise ValueOutOfRange("positions to value are at least 0")
        if not all(0 <= one <= 1 for one in self.trade_offs):
            raise ValueOutOfRange(f"trade-offs lie in [0, 1], unlike {self.trade_offs}")
        if not all(one >= 0 for one in (*self.temperatures, self.temperature)):
            raise ValueOutOfRange("temperatures are at least 0")

    @property
    def names(self) -> tuple[str, ...]:
        """What the competing lists are called, in their order: the first wins among equals."""
        return (
            "actor",
            *("sampled",) * self.samples,
            *("greedy",) * self.greedy,
            *("mmr",) * len(self.trade_offs),
            *("dpp",) * len(self.temperatures),
            *("improved",) * (self.sweeps > 0),
        )
