"""PostgreSQL databases of a test's own, on a server that is there already."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import asyncpg

SERVER: Final = os.environ.get("REWARD_LLM_TEST_POSTGRES_URL") or "postgresql://postgres@127.0.0.1:5432/postgres"
"""A database whose user may create others."""


def execute(statement: str, *arguments: object) -> Any:
    """Run one statement on the server, outside a transaction, and give the first value of its result."""

    async def run() -> Any:
        connection = await asyncpg.connect(SERVER, timeout=10)
        try:
            return await connection.fetchval(statement, *arguments)
        finally:
            await connection.close()

    return asyncio.run(run())


@contextmanager
def database() -> Iterator[str]:
    """The URL of an empty database, which is dropped in the end, whoever is still connected."""
    name = f"reward_llm_test_{secrets.token_hex(8)}"
    execute(f"CREATE DATABASE {name}")
    try:
        yield _named(name)
    finally:
        execute(f"DROP DATABASE {name} WITH (FORCE)")


def _named(name: str) -> str:
    server, question, parameters = SERVER.partition("?")
    return f"{server.rpartition('/')[0]}/{name}{question}{parameters}"
