"""The team that ships."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reward_llm.agents.learning.checkpoint import Checkpoint
from reward_llm.agents.orchestrator.marketplace import LearnedMarketplace, MarketplaceConfig
from reward_llm.domain.weights import Weights


def shipped_team() -> Path:
    """The folder of the team that ships, trained in practice markets."""
    return Path(__file__).parent / "shipped_team"


def shipped_marketplace(weights: Callable[[], Weights] | None = None) -> LearnedMarketplace:
    """A marketplace whose agents follow the team that ships.

    Args:
        weights: Looks up what is served, at every page; without it, the market's own word is taken.

    Raises:
        CheckpointInvalid: If the team isn't there, or is for another config of the agents.
    """
    config = MarketplaceConfig()
    minds = Checkpoint.load(shipped_team(), config).minds
    return LearnedMarketplace(config, minds=minds, weights=weights)
