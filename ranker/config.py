"""What the networks are told: the shape of their input and their sizes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

MAX_CANDIDATES: Final = 200
"""Candidates that a request may have; the count of candidates is a feature relative to it."""
MAX_SLATE: Final = 50
"""Slots that a slate may have; the evaluator has this many positions."""
SUPPLY_TYPES: Final = 4
"""Product, live, video, article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputShape:
    """What a request is made of; a checkpoint is for one shape."""

    user: int
    """Width of `user_BF`."""
    item: int
    """Width of `item_BMF`."""
    vocabularies: tuple[int, ...] = ()
    """Entries of every column of `item_id_BMC`, 0 for unknown included; an id beyond them counts as unknown."""
    groups: int = 8
    """Priorities of supply groups that are told apart; later ones share the last."""
    utilities: int = 7
    """K, the length of a weight vector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputConfig:
    """How an item is read, in the actor and the evaluator alike."""

    id_width: int = 8
    """Width of the embedding of one categorical feature."""
    hidden: int = 32
    """Width of an item's first representation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HypernetConfig:
    """The network that turns weights into parameters."""

    hidden: int = 64
    """Width of its one hidden layer."""
    spread: float = 0.3
    """First standard deviation of what the weights add, as a share of that of the parameters themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorConfig:
    """The network that writes slates."""

    input: InputConfig = field(default_factory=lambda: InputConfig(hidden=64))
    hidden: int = 64
    """Width of an encoded item and of the decoder's state."""
    attention: int = 64
    """Width in which state, item and context meet."""
    hypernet: HypernetConfig = field(default_factory=HypernetConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatorConfig:
    """The network that predicts what comes of a slate."""

    input: InputConfig = field(default_factory=InputConfig)
    channel: int = 32
    """Width of each of the five channels."""
    heads: int = 4
    """Attention heads; they divide `channel`."""
    flat: int = 4
    """Width of an item in the channel that concatenates all positions."""
    slate: int = MAX_SLATE
    """Positions that it knows; longer slates are refused."""
    usual_slate: int = 10
    """Sums over a slate are divided by it, so that they stay sums and near one."""
    dwell_scale_s: float = 30.0
    """Seconds of dwell an item at which satisfaction is 1 - 1/e."""
    averaged_position: bool = False
    """Whether predictions average the examination over the positions instead of using each position's own."""
