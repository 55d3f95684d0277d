"""What may recommend in a simulation, by name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final

from reward_llm.agents.allocation import Recommender
from reward_llm.domain.simulation import RecommenderName

HOMES: Final[Mapping[RecommenderName, str]] = MappingProxyType(
    {
        RecommenderName.MARKETPLACE: "reward_llm.agents.learning.shipped:shipped_marketplace",
        RecommenderName.ITEM_CF: "reward_llm.agents.baselines.item_cf:ItemCF",
        RecommenderName.FACTORISATION: "reward_llm.agents.baselines.factorisation:Factorisation",
        RecommenderName.BANDIT: "reward_llm.agents.baselines.bandit:ThompsonBandit",
        RecommenderName.META: "reward_llm.agents.baselines.meta:MetaStart",
        RecommenderName.POPULAR: "reward_llm.agents.baselines.plain:Popular",
        RecommenderName.RANDOM: "reward_llm.agents.baselines.plain:Random",
    }
)
"""Module and name of what makes each."""


def recommender(name: RecommenderName) -> Recommender:
    """A recommender that has seen nothing of the market yet; what it stands on is loaded now."""
    module, _, attribute = HOMES[name].partition(":")
    made: Recommender = getattr(import_module(module), attribute)()
    return made
