from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from reward_llm.errors import StoreUnavailable
from reward_llm.store import upgrade
from tests.api.harness import Desk, Setup


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("database") / "store.db"
    asyncio.run(upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture
def setup(tmp_path: Path, empty_database: Path) -> Setup:
    return Setup(path=Path(shutil.copy(empty_database, tmp_path)))


@pytest.fixture
async def desk(setup: Setup) -> AsyncIterator[Desk]:
    """An application; in the end its audit log must replay to what its database holds."""
    async with setup.start() as desk:
        yield desk
        with suppress(StoreUnavailable):
            assert (await desk.app.state.context.services.auditor.verification()).flaw is None
