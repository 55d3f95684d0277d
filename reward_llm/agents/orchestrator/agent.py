"""Decides what counts in the allotment of paid exposure, and how much of it there is."""

# B users present, P contents of the pool

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from reward_llm.agents.allocation import UTILITIES, FloatArray, MarketView
from reward_llm.agents.learning.choices import Choices
from reward_llm.agents.learning.minds import Minds, Question
from reward_llm.agents.orchestrator.config import AllotmentConfig

STATE: Final = len(UTILITIES) + 9
"""The weights, and nine facts of the market."""
USUAL_COLD_START: Final = 0.1
"""Weight of cold start at which `pressure` is meant."""
_LONG: Final = 30.0
"""Days and pages are counted relative to it."""
_MANY: Final = 200.0
"""Contents are counted relative to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketState:
    """What the orchestrator sees of the market."""

    present: int
    """Users who are there now."""
    users: int
    pool: int
    first_share: float
    """Of the pool, that is having its first chance."""
    pool_quality: float
    """Mean over the pool, a logit."""
    boosted_share: float
    """Of all impressions so far."""
    satisfaction: float
    """Mean over those present."""
    fatigue: float
    """Likewise."""

    def row(self, view: MarketView, weights: Mapping[str, float]) -> FloatArray:
        """One row of `STATE` numbers."""
        facts = (
            view.day / _LONG,
            view.step / _LONG,
            self.present / max(1, self.users),
            self.pool / _MANY,
            self.first_share,
            self.pool_quality,
            self.boosted_share,
            self.satisfaction,
            self.fatigue,
        )
        return np.array([[*(weights.get(name, 0.0) for name in UTILITIES), *facts]], dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """What the orchestrator decided for a page."""

    match: float
    revenue: float
    long_term: float
    pressure: float
    """Share of all impressions that may be boosted; never above the cap."""
    place: float
    """Where in a page boosted content stands, in (0, 1)."""


def orchestrator_choices(config: AllotmentConfig) -> Choices:
    """What the orchestrator decides."""
    names = ("match", "revenue", "long_term", "pressure", "place")
    return Choices(names=names, centre=tuple(getattr(config, name) for name in names))


class OrchestratorAgent:
    """The agent of one market."""

    def __init__(self, config: AllotmentConfig, minds: Minds) -> None:
        self._config, self._minds = config, minds
        self._choices = orchestrator_choices(config)

    def stance(self, view: MarketView, state: MarketState, weights: Mapping[str, float]) -> Stance:
        """For the page that is being filled.

        The three terms are the actor's choices times what the weights say of them, and so is the pressure: no weight
        on cold start, no boost.
        """
        row_1S = state.row(view, weights)
        question = Question(
            kind="orchestrator",
            agents_B=np.zeros(1, dtype=np.int64),
            observation_BO=row_1S,
            state_BS=row_1S,
            actions=self._choices.count,
        )
        chosen = {name: float(part[0]) for name, part in self._choices.of(self._minds.decide(question)).items()}
        wish = min(1.0, chosen["pressure"] * np.sqrt(weights.get("cold_start", 0.0) / USUAL_COLD_START))
        return Stance(
            match=2 * chosen["match"] * (weights.get("click", 0.0) + weights.get("cold_start", 0.0)),
            revenue=2 * chosen["revenue"] * weights.get("gmv", 0.0),
            long_term=2 * chosen["long_term"] * sum(weights.get(name, 0.0) for name in LONG_TERM),
            pressure=self._config.cap * wish,
            place=chosen["place"],
        )


LONG_TERM: Final = ("satisfaction", "retention", "diversity")
"""The utilities that make up long-term value."""
