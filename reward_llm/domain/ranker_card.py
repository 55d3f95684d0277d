"""What is known of the ranker that ranks here: what it was trained on, and how well it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedOn:
    """The log that a ranker learned from: what it is, lists for learning and for scores, and from when to when."""

    source: str
    lists: int
    assessed: int
    candidates: float
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Lists with about the same predicted rate of clicks, and the rate that came."""

    expected: float
    observed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SlateScores:
    """Mean R_w of slates under one kind of weights: `drawn`, `equal`, or a utility's name for it alone.

    `better_than_logged` and `at_least_greedy` are shares of the requests.
    """

    weights: str
    actor: float
    greedy: float
    logged: float
    better_than_logged: float
    at_least_greedy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RankerCard:
    """A ranker by its training's report.

    `checkpoint_hash` is the SHA-256 of its networks in hexadecimal. `predictions` are the evaluator's scores by
    name, without those that the log couldn't tell. `examination` is how likely each slot is looked at, the first one
    1. What the report lacks is empty: a checkpoint can rank without one.
    """

    checkpoint_hash: str
    shipped: bool
    log: str
    utilities: tuple[str, ...] = ()
    size: int | None = None
    seed: int | None = None
    parameters: Mapping[str, int] = field(default_factory=dict)
    elapsed_s: Mapping[str, float] = field(default_factory=dict)
    trained_on: TrainedOn | None = None
    predictions: Mapping[str, float] = field(default_factory=dict)
    reliability: tuple[ReliabilityBin, ...] = ()
    examination: tuple[float, ...] = ()
    slates: tuple[SlateScores, ...] = ()
