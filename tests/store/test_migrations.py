from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

import reward_llm.store.migrations
from reward_llm.domain.review import Review, ReviewReason
from reward_llm.errors import StoreUnavailable
from reward_llm.store import SqlStore, downgrade, revision, upgrade
from reward_llm.store.engine import reading_engine
from reward_llm.store.tables import metadata
from tests.contracts.store import goal, proposal

REVIEW = Review(reason=ReviewReason.READ_BY_RULES)
MIGRATIONS = Path(reward_llm.store.migrations.__file__).parent


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


async def test_upgrading_goes_to_the_only_head(url: str) -> None:
    assert await revision(url) is None
    await upgrade(url)
    assert await revision(url) == ScriptDirectory(str(MIGRATIONS)).get_current_head()


async def test_the_migrations_make_the_tables_that_the_code_uses(url: str) -> None:
    await upgrade(url)

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    engine = reading_engine(url)
    async with engine.begin() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_upgrading_again_keeps_what_is_there(url: str) -> None:
    await upgrade(url)
    store = SqlStore.open(url)
    await store.record_goal(goal())
    record = await store.record_proposal("goal_1", proposal(), goal().submitted_at)
    await upgrade(url)
    assert await store.goal("goal_1") == record
    await store.aclose()


async def test_down_and_up_again_gives_an_empty_store(url: str) -> None:
    await upgrade(url)
    store = SqlStore.open(url)
    await store.record_goal(goal())
    await store.record_proposal("goal_1", proposal(), goal().submitted_at)
    await downgrade(url, "base")
    assert await revision(url) is None
    with pytest.raises(StoreUnavailable):
        await store.ping()
    await upgrade(url)
    assert (await store.goals()).items == ()
    await store.record_goal(goal())
    await store.aclose()


async def test_proposals_from_before_reviews_are_read_as_needing_nobody(url: str) -> None:
    await upgrade(url)
    store = SqlStore.open(url)
    await store.record_goal(goal())
    await store.record_proposal("goal_1", replace(proposal(), review=REVIEW), goal().submitted_at)
    await store.aclose()
    await downgrade(url, "0001")
    await upgrade(url)
    store = SqlStore.open(url)
    assert (await store.goal("goal_1")).proposal == proposal()
    await store.aclose()


async def test_several_processes_may_upgrade_at_once(url: str) -> None:
    await asyncio.gather(*(upgrade(url) for _ in range(4)))
    assert await revision(url) is not None


async def test_a_migration_that_fails_leaves_nothing_behind(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_index", fail)
        with pytest.raises(RuntimeError, match="power cut"):
            await upgrade(url)
    engine = reading_engine(url)
    async with engine.begin() as connection:
        assert await connection.run_sync(lambda c: inspect(c).get_table_names()) == []
    await engine.dispose()
    await upgrade(url)
