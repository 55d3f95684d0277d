from __future__ import annotations

import pytest

from reward_llm.reading.rules import RuleReader
from tests.strategies import HOME_FEED, VIDEO_FEED


@pytest.fixture(scope="session")
def reader() -> RuleReader:
    """A reader of seven utilities, one a concept."""
    return RuleReader(HOME_FEED)


@pytest.fixture(scope="session")
def video_reader() -> RuleReader:
    """A reader of a scenario with terms of its own and a utility, `calm`, of no concept."""
    return RuleReader(VIDEO_FEED)
