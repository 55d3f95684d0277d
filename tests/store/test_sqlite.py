from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from reward_llm.store import SqlStore, upgrade
from reward_llm.store.engine import writing_engine
from reward_llm.store.tables import audit
from tests.contracts.store import goal


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    await upgrade(f"sqlite:///{path}")
    return path


async def test_commits_are_synchronous_in_a_write_ahead_log(path: Path) -> None:
    engine = writing_engine(f"sqlite:///{path}")
    async with engine.connect() as connection:
        pragmas = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    await engine.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


@pytest.mark.parametrize(
    "kept", [("sequence",), ("hash",), ("preceding_hash",), ("chain", "position"), ("chain", "previous_hash")]
)
async def test_an_audit_record_cannot_be_replaced(path: Path, kept: tuple[str, ...]) -> None:
    store = SqlStore.open(f"sqlite:///{path}")
    await store.record_goal(goal())
    before = await store.audit()
    names = [c.name for c in audit.c]
    values = [n if n in (*kept, "at") else "9" for n in names]
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(
            f"INSERT OR REPLACE INTO audit ({', '.join(names)}) SELECT {', '.join(values)} FROM audit"  # noqa: S608
        )
    connection.close()
    assert await store.audit() == before
    await store.aclose()


async def test_a_new_file_that_somebody_else_writes_to_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    somebody = sqlite3.connect(path, isolation_level=None)
    somebody.execute("CREATE TABLE theirs (x)")
    somebody.execute("BEGIN IMMEDIATE")
    upgrading = asyncio.create_task(upgrade(f"sqlite:///{path}"))
    await asyncio.sleep(0.3)
    assert not upgrading.done()
    somebody.execute("COMMIT")
    somebody.close()
    await upgrading
