from __future__ import annotations

import numpy as np
import pytest

from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.market import Market
from tests.agents.market.recommenders import WEIGHTS


@pytest.fixture
def config():
    return MarketConfig.small()


@pytest.fixture
def market(config):
    return Market(config, seed=0, weights=lambda: WEIGHTS)


@pytest.fixture
def generator():
    return np.random.default_rng(1)
