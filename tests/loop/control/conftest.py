from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reward_llm.store import upgrade
from reward_llm.store.audit_log import SqlAuditLog
from reward_llm.store.database import Database
from tests.loop.control.room import Room


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def room(url: str) -> AsyncIterator[Room]:
    """A scope with a reviewed policy in force; in the end the audit log must replay to what the database holds."""
    await upgrade(url)
    database = Database.open(url)
    yield await Room.open(database)
    assert (await SqlAuditLog(database).verification()).flaw is None
    await database.aclose()
