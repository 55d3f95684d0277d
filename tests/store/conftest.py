from __future__ import annotations

from pathlib import Path

import pytest

from reward_llm.store import upgrade


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def url(empty_url: str) -> str:
    """A database of the newest schema, of each kind."""
    await upgrade(empty_url)
    return empty_url
