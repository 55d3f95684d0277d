from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from reward_llm.domain.ports import IdempotencyClaim, Store
from reward_llm.store import SqlStore
from reward_llm.store.engine import writing_engine
from tests.contracts.store import ANN, CLAIM, CLICKS, FEED, NOON, StoreContract, goal, proposal


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    store = SqlStore.open(url)
    port: Store = store
    yield store
    await port.aclose()


@pytest.fixture
async def neighbour(url: str) -> AsyncIterator[SqlStore]:
    """A second store on the same database, as another process has it, with the driver named in the URL."""
    drivers = {"sqlite:": "sqlite+aiosqlite:", "postgresql:": "postgresql+asyncpg:"}
    store = SqlStore.open(next(url.replace(k, v, 1) for k, v in drivers.items() if url.startswith(k)))
    yield store
    await store.aclose()


class TestSqlStore(StoreContract):
    """SQLite and PostgreSQL keep the contract."""


async def test_two_stores_make_one_goal_of_one_key(store: SqlStore, neighbour: SqlStore) -> None:
    submissions = [(store, neighbour)[i % 2].record_goal(goal(f"goal_{i}"), CLAIM) for i in range(20)]
    records = await asyncio.gather(*submissions)
    assert len({r.goal.id for r in records}) == 1
    assert len((await store.goals()).items) == 1
    assert len(await store.audit()) == 1


async def test_two_stores_give_a_scope_consecutive_versions(store: SqlStore, neighbour: SqlStore) -> None:
    for i in range(10):
        await store.record_goal(goal(f"goal_{i}"))
    settling = [(store, neighbour)[i % 2].record_proposal(f"goal_{i}", proposal(), NOON) for i in range(10)]
    records = await asyncio.gather(*settling)
    assert sorted(r.policy.version for r in records if r.policy) == list(range(1, 11))


async def test_what_one_store_writes_the_other_reads(store: SqlStore, neighbour: SqlStore) -> None:
    written = await store.record_goal(goal())
    assert await neighbour.goal("goal_1") == written


async def test_cancelled_callers_leave_whole_writes_and_a_working_store(store: SqlStore) -> None:
    tasks = [
        asyncio.create_task(store.record_goal(goal(f"goal_{i}"), IdempotencyClaim(key=f"{i}", request_hash="h")))
        for i in range(30)
    ]
    for i, task in enumerate(tasks):
        await asyncio.sleep(0.001 * (i % 4))
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.record_goal(goal("after"))
    kept = {r.goal.id for r in (await store.goals(limit=200)).items}
    assert {r.subject for r in await store.audit(limit=200)} == kept
    for i in range(30):
        await store.record_goal(goal(f"goal_{i}"), IdempotencyClaim(key=f"{i}", request_hash="h"))
    assert len((await store.goals(limit=200)).items) == 31


async def test_closing_waits_for_what_cancelled_callers_began(store: SqlStore) -> None:
    tasks = [asyncio.create_task(store.record_goal(goal(f"goal_{i}"))) for i in range(5)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    begun = set(store.begun)
    assert begun
    await store.aclose()
    assert all(task.done() for task in begun)


async def test_a_goal_id_used_twice_is_an_error_of_the_code(store: SqlStore) -> None:
    await store.record_goal(goal())
    with pytest.raises(IntegrityError):
        await store.record_goal(goal())
    assert len(await store.audit()) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'eve'",
        "DELETE FROM audit",
        "INSERT INTO audit SELECT * FROM audit WHERE true ON CONFLICT (sequence) DO UPDATE SET actor = 'eve'",
    ],
)
async def test_the_audit_log_cannot_be_changed(store: SqlStore, url: str, statement: str) -> None:
    await store.record_goal(goal())
    before = await store.audit()
    engine = writing_engine(url)
    with pytest.raises(IntegrityError, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    await engine.dispose()
    assert await store.audit() == before


async def test_a_store_reopened_goes_on_where_it_was(store: SqlStore, url: str) -> None:
    await store.record_goal(goal())
    record = await store.record_proposal("goal_1", proposal(), NOON)
    await store.aclose()
    reopened = SqlStore.open(url)
    assert await reopened.goal("goal_1") == record
    assert (await reopened.record_edit(FEED, CLICKS, act=ANN)).version == 2
    await reopened.aclose()
