from __future__ import annotations

import numpy as np

from reward_llm.agents.learning.checkpoint import Checkpoint
from reward_llm.agents.learning.minds import KINDS
from reward_llm.agents.learning.shipped import shipped_marketplace, shipped_team
from reward_llm.agents.learning.team import TeamShape, new_actors
from reward_llm.agents.market.play import play
from reward_llm.agents.orchestrator.marketplace import LearnedMarketplace, MarketplaceConfig
from tests.agents.markets import opened


def test_the_shipped_team_fits_the_default_agents_and_has_learned() -> None:
    found = Checkpoint.load(shipped_team(), MarketplaceConfig())
    fresh = new_actors(TeamShape(marketplace=MarketplaceConfig(), topics=10), seed=0)
    for kind in KINDS:
        pairs = zip(found.actors[kind].parameters(), fresh[kind].parameters(), strict=True)
        assert any((one - other).abs().max() > 1e-3 for one, other in pairs), kind


def test_the_shipped_marketplace_recommends_and_its_agents_have_a_say() -> None:
    trained, untrained = opened(), opened()
    first = play(trained, shipped_marketplace(), np.random.default_rng(0))
    second = play(untrained, LearnedMarketplace(), np.random.default_rng(0))
    assert first != second
    assert first.ctr > 0
