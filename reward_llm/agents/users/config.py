"""What user agents are told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UserStateConfig:
    """How a user's state follows from what was done with a page; all states lie in [0, 1]."""

    memory: float = 0.8
    """Share of the satisfaction that a page leaves as it was; the rest is the page's."""
    pleased: float = 0.35
    """Share of what was looked at that has to be completed for a page to satisfy fully."""
    curiosity_gain: float = 0.15
    """What the first click on a topic that the user hardly clicked adds to the curiosity."""
    curiosity_keep: float = 0.97
    """Share of the curiosity that is left after a page."""
    novel: float = 0.08
    """A topic is novel to a user as long as it has a smaller share of the user's clicks."""
    fatigue_gain: float = 0.25
    """What three clicks in a row on one topic add to the fatigue."""
    fatigue_keep: float = 0.9
    """Share of the fatigue that is left after a page."""
    alike: int = 3
    """Clicks in a row on one topic that tire."""
    rest: float = 0.5
    """Share of the fatigue that is left after a night."""
    low: float = 0.4
    """Satisfaction below which a user wants something else."""
    urge: float = 1.0
    """What a satisfaction that is lower by 1 takes from the exploitation, below `low`."""
    stray: float = 0.25
    """What full curiosity takes from it."""
    settle: float = 0.3
    """Share by which the exploitation moves, in a page, to where the other states would have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAgentConfig:
    """The agent and its network."""

    state: UserStateConfig = UserStateConfig()
    protected_days: int = 3
    """Days since the first visit in which nothing is tried on a user."""
    sequence: int = 12
    """Clicks that the network reads, the latest."""
    recurrent: int = 16
    """Width of the GRU, and of the transformer."""
    heads: int = 2
    """Attention heads; they divide `recurrent`."""
    hidden: int = 32
    """Width of the layer that joins behaviour and state."""
    explore: float = 0.5
    """Exploration of an untrained actor, as a share of the most that the state asks for."""
