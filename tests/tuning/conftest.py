from __future__ import annotations

import pytest
import yaml

from reward_llm.domain.scenario import Bilingual, Bounds, Concept, Scenario, Utility
from reward_llm.resources import scenarios_dir


@pytest.fixture(scope="session")
def home_feed() -> Scenario:
    document = yaml.safe_load((scenarios_dir() / "home_feed.yaml").read_text(encoding="utf-8"))
    utilities = tuple(
        Utility(
            name=u["name"],
            concept=Concept(u["concept"]),
            default=u["default"],
            bounds=Bounds(**u["bounds"]),
            description=Bilingual(**u["description"]),
        )
        for u in document["utilities"]
    )
    return Scenario(name=document["name"], title=Bilingual(**document["title"]), utilities=utilities)
