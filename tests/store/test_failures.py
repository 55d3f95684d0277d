from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from reward_llm.errors import ConfigurationInvalid, StoreUnavailable
from reward_llm.store import SqlStore, revision, upgrade
from reward_llm.store.database import Database
from reward_llm.store.engine import reading_engine, writing_engine
from reward_llm.store.failures import translated
from tests.contracts.store import ANN, FEED, NOON, goal, proposal


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    await upgrade(f"sqlite:///{path}")
    return path


async def test_a_full_disk_stops_writes_and_loses_nothing(path: Path) -> None:
    url = f"sqlite:///{path}"
    writer = writing_engine(url)

    @event.listens_for(writer.sync_engine, "connect")
    def leave_little_room(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA page_count")
        (used,) = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count = {used + 20}")
        cursor.close()

    store = SqlStore(Database(reader=reading_engine(url), writer=writer))
    kept: list[str] = []

    async def fill() -> None:
        for i in range(1000):
            await store.record_goal(goal(f"goal_{i}", text="长" * 1000))
            kept.append(f"goal_{i}")

    with pytest.raises(StoreUnavailable, match="full") as caught:
        await fill()
    assert caught.value.retryable
    assert "free some space" in (caught.value.hint or "")
    assert kept
    assert [r.goal.id for r in (await store.goals(limit=200)).items] == kept[::-1]
    assert [r.subject for r in await store.audit(limit=200)] == kept[::-1]
    await store.aclose()

    roomy = SqlStore.open(url)
    await roomy.record_goal(goal("after"))
    await roomy.aclose()


@pytest.mark.parametrize("journal_mode", ["wal", "delete"])
async def test_a_read_only_file_is_read_and_not_written(path: Path, journal_mode: str) -> None:
    store = SqlStore.open(f"sqlite:///{path}")
    await store.record_goal(goal())
    await store.aclose()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA journal_mode = {journal_mode}")
    connection.close()

    read_only = SqlStore.open(f"sqlite:///file:{path}?mode=ro&uri=true")
    await read_only.ping()
    assert (await read_only.goal("goal_1")).goal == goal()
    with pytest.raises(StoreUnavailable, match="readonly") as caught:
        await read_only.record_proposal("goal_1", proposal(), NOON)
    assert "read-only" in (caught.value.hint or "")
    assert len(await read_only.audit()) == 1
    await read_only.aclose()


async def test_a_locked_database_is_waited_for_then_given_up(path: Path) -> None:
    store = SqlStore.open(f"sqlite:///{path}?timeout=0.1")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await store.record_goal(goal())
    assert (await store.goals()).items == ()
    other.execute("ROLLBACK")
    other.close()
    await store.record_goal(goal())
    await store.aclose()


async def test_missing_tables_hint_at_the_upgrade(empty_url: str) -> None:
    store = SqlStore.open(empty_url)
    for call in (store.ping(), store.goals(), store.record_goal(goal())):
        with pytest.raises(StoreUnavailable) as caught:
            await call
        assert "reward-llm db upgrade" in (caught.value.hint or "")
    await store.aclose()


async def test_a_missing_folder_is_named_in_the_hint(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}"
    with pytest.raises(StoreUnavailable) as caught:
        await upgrade(url)
    assert "folder" in (caught.value.hint or "")
    store = SqlStore.open(url)
    with pytest.raises(StoreUnavailable):
        await store.ping()
    await store.aclose()


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_text("hello " * 1000)
    with pytest.raises(StoreUnavailable, match="not a database"):
        await revision(f"sqlite:///{path}")


async def test_a_wrong_statement_stays_an_error_of_the_code(url: str) -> None:
    engine = reading_engine(url)
    with pytest.raises(DBAPIError, match="syntax error"), translated():
        async with engine.begin() as connection:
            await connection.execute(text("SELEKT 1"))
    await engine.dispose()


async def test_a_reader_cannot_write(url: str) -> None:
    engine = reading_engine(url)
    with pytest.raises(StoreUnavailable, match=r"read-?only"), translated():
        async with engine.begin() as connection:
            await connection.execute(text("DELETE FROM goals"))
    await engine.dispose()


async def test_an_error_of_the_caller_is_not_translated(url: str) -> None:
    store = SqlStore.open(url)
    with pytest.raises(TypeError):
        await store.record_edit(FEED, None, act=ANN)  # type: ignore[arg-type]
    await store.ping()
    await store.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://ann:secret@db/reward",
        "postgresql://ann:secret@db:port/reward",
        "postgresql://ann:secret@db/reward?connect_timeout=soon",
        "sqlite+pysqlcipher:///store.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file::memory:?cache=shared&uri=true",
        "sqlite:///file:shared?mode=memory&uri=true",
        "store.db",
        "",
    ],
)
def test_a_url_of_no_database_of_ours_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationInvalid) as caught:
        SqlStore.open(url)
    assert caught.value.hint
    assert "secret" not in str(caught.value)


def test_opening_a_store_touches_no_file(tmp_path: Path) -> None:
    SqlStore.open(f"sqlite:///{tmp_path / 'store.db'}")
    assert list(tmp_path.iterdir()) == []
