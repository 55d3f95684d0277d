"""Plans to try simulations with."""

from __future__ import annotations

from typing import Any

from reward_llm.domain.simulation import RecommenderName, SimulationArm, SimulationPlan, market_concepts
from tests.strategies import HOME_FEED


def arm_of(name: str, recommender: RecommenderName = RecommenderName.POPULAR, **weights: float) -> SimulationArm:
    return SimulationArm(
        name=name,
        recommender=recommender,
        weights=weights or dict(HOME_FEED.defaults),
        origin="weights",
        source="human",
    )


def plan_of(*names: str, **changes: Any) -> SimulationPlan:
    """A small plan; an arm for each name."""
    given = {
        "scenario": "home_feed",
        "segment": None,
        "arms": tuple(arm_of(name) for name in names or ("now",)),
        "concepts": market_concepts(HOME_FEED),
        "seeds": 2,
        "days": 10,
        "users": 40,
    }
    return SimulationPlan(**{**given, **changes})
