from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from reward_llm.store import upgrade
from tests.webhooks import Office, office


@pytest.fixture
async def url(tmp_path: Any) -> str:
    """A SQLite database of the newest schema."""
    url = f"sqlite:///{tmp_path}/store.db"
    await upgrade(url)
    return url


@pytest.fixture
async def here(url: str) -> AsyncIterator[Office]:
    async with office(url) as made:
        yield made
