from __future__ import annotations

import asyncio
import socket
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from reward_llm.domain.goal import Window
from reward_llm.errors import ConfigurationInvalid, StoreUnavailable
from reward_llm.store import SqlStore, revision, upgrade
from reward_llm.store.engine import reading_engine, writing_engine
from reward_llm.store.failures import translated
from reward_llm.store.governance import SqlGovernance
from reward_llm.store.postgresql import WRITER_LOCK
from reward_llm.store.transactions import retried, transaction
from tests.contracts.governance.acts import FREE
from tests.contracts.store import ANN, CLICKS, FEED, NOON, goal, proposal
from tests.strategies import HOME_FEED

TERMINATE_OTHERS = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
FAIL = "DO $$ BEGIN RAISE EXCEPTION 'by hand' USING ERRCODE = '{}'; END $$"


@pytest.fixture
async def url(postgres_url: str) -> str:
    await upgrade(postgres_url)
    return postgres_url


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    store = SqlStore.open(url)
    yield store
    await store.aclose()


@asynccontextmanager
async def operator(url: str) -> AsyncIterator[Any]:
    """A connection of somebody who looks after the server."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def test_a_connection_lost_between_calls_is_replaced(store: SqlStore, url: str) -> None:
    await store.record_goal(goal("goal_1"))
    await store.ping()
    async with operator(url) as connection:
        assert await connection.fetchval(TERMINATE_OTHERS) == 2
    await store.record_goal(goal("goal_2"))
    assert [r.goal.id for r in (await store.goals()).items] == ["goal_2", "goal_1"]


async def test_a_transaction_whose_connection_is_lost_is_begun_again(url: str) -> None:
    engine, tries = writing_engine(url), 0

    @retried
    async def work() -> None:
        nonlocal tries
        tries += 1
        async with transaction(engine) as connection:
            await connection.execute(text("CREATE TABLE made (number INT)"))
            if tries == 1:
                async with operator(url) as other:
                    await other.execute(TERMINATE_OTHERS)
            await connection.execute(text("INSERT INTO made VALUES (1)"))

    await work()
    await engine.dispose()
    assert tries == 2
    async with operator(url) as connection:
        assert await connection.fetchval("SELECT count(*) FROM made") == 1


async def test_a_connection_lost_in_a_commit_is_told_and_nothing_is_repeated(url: str) -> None:
    engine, tries = writing_engine(url), 0

    @retried
    async def work() -> None:
        nonlocal tries
        tries += 1
        async with transaction(engine) as connection:
            await connection.execute(text("CREATE TABLE made (number INT)"))
            async with operator(url) as other:
                await other.execute(TERMINATE_OTHERS)

    with pytest.raises(StoreUnavailable, match="acknowledged") as caught:
        await work()
    await engine.dispose()
    assert tries == 1
    assert "Idempotency-Key" in (caught.value.hint or "")


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
async def test_a_transaction_in_anothers_way_is_tried_again_a_few_times(url: str, sqlstate: str) -> None:
    engine, tries = writing_engine(url), 0

    @retried
    async def work(failures: int) -> None:
        nonlocal tries
        tries += 1
        async with transaction(engine) as connection:
            if tries <= failures:
                await connection.exec_driver_sql(FAIL.format(sqlstate))

    await work(3)
    assert tries == 4
    tries = 0
    with pytest.raises(StoreUnavailable, match="by hand") as caught:
        await work(100)
    await engine.dispose()
    assert tries == 4
    assert caught.value.retryable


async def test_two_that_lock_each_other_out_both_get_through(url: str) -> None:
    """A deadlock, which the server ends by undoing one of the two."""
    engine, met = reading_engine(url), asyncio.Barrier(2)
    tries = 0

    @retried
    async def work(first: int, second: int) -> None:
        nonlocal tries
        tries += 1
        async with transaction(engine) as connection:
            await connection.exec_driver_sql("SELECT pg_advisory_xact_lock($1)", (first,))
            if tries <= 2:
                await met.wait()
            await connection.exec_driver_sql("SELECT pg_advisory_xact_lock($1)", (second,))

    await asyncio.gather(work(1, 2), work(2, 1))
    await engine.dispose()
    assert tries == 3


async def test_a_writer_waits_for_another_and_gives_up_while_readers_go_on(url: str) -> None:
    store = SqlStore.open(f"{url}?lock_timeout=100ms")
    async with operator(url) as connection:
        await connection.execute(f"SELECT pg_advisory_lock({WRITER_LOCK})")
        with pytest.raises(StoreUnavailable, match="lock timeout") as caught:
            await store.record_goal(goal())
        assert "try again" in (caught.value.hint or "")
        assert (await store.goals()).items == ()
    await store.record_goal(goal())
    await store.aclose()


async def test_a_writer_that_hangs_loses_the_lock(store: SqlStore, url: str) -> None:
    engine = writing_engine(f"{url}?idle_in_transaction_session_timeout=200ms")

    async def hang() -> None:
        with translated():
            async with transaction(engine) as connection:
                await connection.exec_driver_sql("SELECT 1")
                await store.record_goal(goal())
                await connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StoreUnavailable):
        await hang()
    await engine.dispose()
    assert len((await store.goals()).items) == 1


async def test_a_statement_without_an_end_is_ended(url: str) -> None:
    engine = reading_engine(f"{url}?statement_timeout=100ms")

    @retried
    async def work() -> None:
        async with transaction(engine) as connection:
            await connection.exec_driver_sql("SELECT pg_sleep(60)")

    with pytest.raises(StoreUnavailable, match="statement timeout"):
        await work()
    await engine.dispose()


async def test_writers_see_what_was_committed_while_they_waited_whatever_the_default_is(url: str) -> None:
    async with operator(url) as connection:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    stores = [SqlStore.open(url) for _ in range(3)]
    edits = [s.record_edit(FEED, CLICKS, act=ANN) for s in stores * 4]
    assert sorted(p.version for p in await asyncio.gather(*edits)) == list(range(1, 13))
    for store in stores:
        await store.aclose()


async def test_a_reading_transaction_sees_one_state(store: SqlStore, url: str) -> None:
    engine = reading_engine(url)
    async with engine.begin() as connection:
        before = (await connection.exec_driver_sql("SELECT count(*) FROM goals")).scalar_one()
        await store.record_goal(goal())
        assert (await connection.exec_driver_sql("SELECT count(*) FROM goals")).scalar_one() == before
    await engine.dispose()


async def test_the_audit_log_cannot_be_emptied(store: SqlStore, url: str) -> None:
    await store.record_goal(goal())
    async with operator(url) as connection:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append-only"):
            await connection.execute("TRUNCATE audit")
    assert len(await store.audit()) == 1


async def test_sequences_go_on_beyond_32_bits(store: SqlStore, url: str) -> None:
    async with operator(url) as connection:
        for table in ("goals", "policies", "activations"):
            await connection.execute(f"SELECT setval('{table}_sequence_seq', {2**40})")
    governance = SqlGovernance(store._database)
    for i in range(2):
        await store.record_goal(goal(f"goal_{i}"))
        record = await store.record_proposal(f"goal_{i}", proposal(HOME_FEED.defaults), NOON)
        assert record.policy is not None
        made = await governance.activate(record.policy.policy_id, Window(), ANN, FREE)
        assert made.sequence > 2**40
    page = await store.goals(limit=1)
    assert [r.goal.id for r in (await store.goals(limit=1, cursor=page.next_cursor)).items] == ["goal_0"]
    assert [a.sequence for a in (await governance.serving(since=1)).activations] == [made.sequence]


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (("/reward_llm_test_", "/reward_llm_none_"), "createdb"),
        (("://", "://nobody_of_that_name:s3cret@"), "user and the password"),
    ],
)
async def test_what_keeps_us_out_is_hinted_at(postgres_url: str, change: tuple[str, str], hint: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        await revision(postgres_url.replace("postgres@", "").replace(*change))
    assert hint in (caught.value.hint or "")


async def test_a_server_that_is_not_there_is_unavailable(unused_tcp_port: int) -> None:
    store = SqlStore.open(f"postgres://ann:s3cret@127.0.0.1:{unused_tcp_port}/reward")
    with pytest.raises(StoreUnavailable, match=str(unused_tcp_port)) as caught:
        await store.ping()
    assert "server runs" in (caught.value.hint or "")
    assert "s3cret" not in "".join(traceback.format_exception(caught.value)) + repr(vars(store))
    await store.aclose()


@pytest.mark.parametrize("written", ["p%40ss%2Fw%23rd%3F", "p%40ss/w#rd?"])
async def test_a_password_of_any_characters_reaches_the_server_and_no_message(written: str) -> None:
    heard = []

    async def ask_for_the_password(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(int.from_bytes(await reader.readexactly(4)) - 4)
        writer.write(b"R" + (8).to_bytes(4) + (3).to_bytes(4))
        assert await reader.readexactly(1) == b"p"
        message = await reader.readexactly(int.from_bytes(await reader.readexactly(4)) - 4)
        heard.append(message.rstrip(b"\0").decode())
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(ask_for_the_password, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(StoreUnavailable) as caught:
            await revision(f"postgresql://ann:{written}@127.0.0.1:{port}/reward?sslmode=disable")
    assert set(heard) == {"p@ss/w#rd?"}
    assert "w#rd" not in "".join(traceback.format_exception(caught.value))


async def test_a_server_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(StoreUnavailable, match="in time"):
            await revision(f"postgresql://127.0.0.1:{port}/reward?connect_timeout=0.1")


@pytest.mark.parametrize("parameter", ["sslmode=perhaps", "lock_timeout=soon", "no_such_setting=1"])
async def test_a_wrong_parameter_of_the_url_is_a_configuration_error(postgres_url: str, parameter: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="database URL"):
        await revision(f"{postgres_url}?{parameter}")
