from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from reward_llm.errors import StoreUnavailable
from reward_llm.store import upgrade
from reward_llm.store.audit_log import SqlAuditLog
from reward_llm.store.database import Database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def url(empty_url: str) -> AsyncIterator[str]:
    """A database of the newest schema, of each kind; in the end its audit log must replay to what it holds."""
    await upgrade(empty_url)
    yield empty_url
    database = Database.open(empty_url)
    with suppress(StoreUnavailable):
        assert (await SqlAuditLog(database).verification()).flaw is None
    await database.aclose()
