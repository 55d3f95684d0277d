from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.loop.experiments.worlds import World, world


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'world.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def here(url: str) -> AsyncIterator[World]:
    async with world(url) as made:
        yield made
