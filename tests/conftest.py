from __future__ import annotations

import os
from collections.abc import Iterator

import asyncpg
import pytest

from tests import databases


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """The server's version; REWARD_LLM_REQUIRE_POSTGRES=1 makes its absence a failure."""
    try:
        return str(databases.execute("SHOW server_version"))
    except (OSError, asyncpg.PostgresError) as exc:
        missing = f"no PostgreSQL at REWARD_LLM_TEST_POSTGRES_URL or the standard port: {exc}"
    if os.environ.get("REWARD_LLM_REQUIRE_POSTGRES") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty PostgreSQL database."""
    with databases.database() as url:
        yield url
