from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reward_llm.store import upgrade
from tests.api.harness import Setup
from tests.console import harness


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("console") / "store.db"
    asyncio.run(upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture
def setup(tmp_path: Path, empty_database: Path) -> Setup:
    return Setup(path=Path(shutil.copy(empty_database, tmp_path)))


@pytest.fixture
async def console(setup: Setup) -> AsyncIterator[harness.Console]:
    """The pages where access is open."""
    async with harness.console(setup) as running:
        yield running
