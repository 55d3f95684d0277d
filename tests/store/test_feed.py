from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest

from reward_llm.errors import ConfigurationInvalid
from reward_llm.store import upgrade
from reward_llm.store.database import Database
from reward_llm.store.engine import identity, writing_engine
from reward_llm.store.feed import CHANNEL, PostgresSource, count_change
from reward_llm.store.transactions import transaction
from tests import databases
from tests.feeds import BEAT_S, Process, process, until
from tests.network import FaultyProxy

OF_LISTENERS = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_notify%'"
LISTENERS = f"SELECT count(*) {OF_LISTENERS}"
TERMINATE_LISTENERS = f"SELECT count(pg_terminate_backend(pid)) {OF_LISTENERS}"


@pytest.fixture
async def url(postgres_url: str) -> str:
    await upgrade(postgres_url)
    return postgres_url


@pytest.fixture
async def operator(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of somebody who looks after the server."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def pair(url: str) -> AsyncIterator[tuple[Process, Process]]:
    """Two processes on one database, who look at it by themselves too seldom to notice anything."""
    async with (
        process(url, PostgresSource(url, beat_s=BEAT_S)) as first,
        process(url, PostgresSource(url, beat_s=BEAT_S)) as second,
    ):
        await first.catches_up()
        await second.catches_up()
        yield first, second


async def test_what_one_process_activates_or_freezes_the_other_serves(pair: tuple[Process, Process]) -> None:
    first, second = pair
    for step in (1, 2, 3):
        policy = await first.activate(step)
        await until(lambda p=policy: second.serves() == first.serves() == p)
    await second.freeze(frozen=True)
    await until(lambda: first.serves() != policy)
    await second.freeze(frozen=False)
    await until(lambda: first.serves() == policy)
    assert first.board.revision == second.board.revision == 5


async def test_who_was_cut_off_says_so_and_catches_up(
    pair: tuple[Process, Process], operator: asyncpg.Connection
) -> None:
    first, second = pair
    assert await operator.fetchval(TERMINATE_LISTENERS) == 2
    await until(lambda: not second.feed.status().connected)
    assert "silent for" in second.feed.status().detail
    policy = await first.activate()
    await until(lambda: second.serves() == policy)
    await second.catches_up()
    assert await operator.fetchval(LISTENERS) == 2


async def test_a_database_that_takes_nobody_is_tried_until_it_does(
    url: str, pair: tuple[Process, Process], operator: asyncpg.Connection
) -> None:
    _, second = pair
    name = url.rpartition("/")[2]
    await asyncio.to_thread(databases.execute, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await operator.fetchval(TERMINATE_LISTENERS)
    await until(lambda: "not currently accepting connections" in second.feed.status().detail)
    await asyncio.to_thread(databases.execute, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await second.catches_up()


async def test_a_connection_that_is_open_and_dead_is_found_out(url: str) -> None:
    with FaultyProxy(5432) as proxy:
        through = url.replace(":5432", f":{proxy.port}")
        assert str(proxy.port) in through
        async with (
            process(url, PostgresSource(url, beat_s=BEAT_S)) as first,
            process(url, PostgresSource(through, beat_s=BEAT_S)) as second,
        ):
            await second.catches_up()
            proxy.freeze()
            policy = await first.activate()
            await until(lambda: not second.feed.status().connected)
            await until(lambda: second.serves() == policy)
            assert len(proxy.connections) > 1


async def test_a_change_is_told_when_it_is_committed_and_not_before(url: str, operator: asyncpg.Connection) -> None:
    heard: list[str] = []
    await operator.add_listener(CHANNEL, lambda *told: heard.append(told[-1]))
    engine = writing_engine(url)
    async with transaction(engine) as connection:
        assert await count_change(connection) == 1
        assert await operator.fetchval("SELECT 1") == 1
        assert heard == []
    await until(lambda: heard == ["1"])
    with suppress(ZeroDivisionError):
        async with transaction(engine) as connection:
            await count_change(connection)
            raise ZeroDivisionError
    await operator.execute(f"NOTIFY {CHANNEL}, 'after'")
    await until(lambda: heard == ["1", "after"])
    await engine.dispose()


async def test_writes_that_change_nothing_that_is_served_are_not_told(
    pair: tuple[Process, Process], operator: asyncpg.Connection
) -> None:
    heard: list[str] = []
    await operator.add_listener(CHANNEL, lambda *told: heard.append(told[-1]))
    await pair[0].activate()
    await until(lambda: len(heard) == 1)
    await operator.execute(f"NOTIFY {CHANNEL}, 'after'")
    await until(lambda: heard == ["1", "after"])


async def test_a_storm_of_notifications_is_a_few_looks(
    pair: tuple[Process, Process], operator: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pair
    looks, serving = [], second.governance.serving

    async def counted(*, since: int = 0) -> object:
        looks.append(since)
        return await serving(since=since)

    monkeypatch.setattr(second.governance, "serving", counted)
    await operator.execute("SELECT pg_notify($1, g::text) FROM generate_series(1, 5000) g", CHANNEL)
    policy = await first.activate()
    await until(lambda: second.serves() == policy)
    assert len(looks) < 500


async def test_nobody_listens_once_the_feed_is_stopped(url: str, operator: asyncpg.Connection) -> None:
    async with process(url, PostgresSource(url, beat_s=BEAT_S)) as only:
        await only.catches_up()
        assert await operator.fetchval(LISTENERS) == 1
    async with asyncio.timeout(30):
        while await operator.fetchval(LISTENERS):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)


async def test_sqlite_counts_changes_and_has_nobody_to_tell(tmp_path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    await upgrade(url)
    database = Database.open(url)
    async with database.reading() as connection:
        assert await count_change(connection) == 1
    await database.aclose()
    with pytest.raises(ConfigurationInvalid, match="listened to"):
        PostgresSource(url)


async def test_a_database_without_its_tables_can_be_listened_to(postgres_url: str) -> None:
    async with process(postgres_url, PostgresSource(postgres_url, beat_s=BEAT_S)) as only:
        await only.catches_up()


@pytest.mark.parametrize(
    "other",
    [
        "postgresql://ann@db/reward",
        "postgresql+asyncpg://bob:pass@db:5432/reward",
        "postgres://db/reward?sslmode=require&lock_timeout=1s",
        "postgresql:///reward?host=db",
        "postgresql://127.0.0.1:6432/reward",
        "postgresql://DB.example.org/reward",
    ],
)
def test_a_database_is_the_same_whoever_uses_it_and_how(other: str) -> None:
    assert identity(other) == identity("postgres://ann:s3cret@db/reward")


def test_other_databases_are_others(tmp_path) -> None:
    urls = ["postgres://db/reward", "postgres://db/other", "postgres://ann@db"]
    urls += [f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/b.db"]
    assert len({identity(u) for u in urls}) == len(urls)


def test_a_file_is_the_same_by_whichever_way_it_is_reached(tmp_path, monkeypatch) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "var")
    monkeypatch.chdir(tmp_path)
    ways = [f"sqlite:///{tmp_path}/var/a.db", f"sqlite:///{tmp_path}/link/a.db", "sqlite:///var/../link/a.db"]
    assert len({identity(way) for way in ways}) == 1
