"""What every store of the agents' state does, and what Redis does beside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from reward_llm.agents.live.counts import Counts
from reward_llm.agents.live.stores import StateStore, UserRecord, UserWrite
from reward_llm.agents.live.stores.memory import MemoryStates
from reward_llm.agents.live.stores.redis import RedisStates
from reward_llm.errors import ConfigurationInvalid, EventsUnavailable
from tests.agents.live.conftest import SERVER

ONE = {"i1": {"clicks": 1}}


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[StateStore]:
    if request.param == "memory":
        yield MemoryStates()
        return
    opened = RedisStates(SERVER, prefix=request.getfixturevalue("prefix"), kept_s=60)
    yield opened
    await opened.aclose()


def write(
    user: str, version: int, settled: str | None = None, removed: tuple[str, ...] = (), **additions: dict[str, int]
) -> UserWrite:
    added = {f"e{version}": f"[{version}]"}
    return UserWrite(
        user=user, version=version, settled=settled, added=added, removed=removed, additions=additions or ONE
    )


def record(settled: str | None, *versions: int) -> UserRecord:
    return UserRecord(settled=settled, recent={f"e{n}": f"[{n}]" for n in versions})


async def test_only_what_has_changed_is_sent(store: StateStore) -> None:
    assert await store.write("s", [write("ann", 0, "first"), write("bob", 0, "§ 三")]) == [True, True]
    found = await store.changed("s", {"ann": 0, "bob": 1, "eve": 0}, {"i1": 0, "i2": 0})
    assert found.users == {"ann": (1, record("first", 0))}
    assert found.items == {"i1": (2, Counts(clicks=2))}
    again = await store.changed("s", {"ann": 1, "bob": 0}, {"i1": 2})
    assert (again.users, again.items) == ({"bob": (1, record("§ 三", 0))}, {})
    assert not (await store.changed("s", {}, {})).users


async def test_who_comes_second_writes_nothing_at_all(store: StateStore) -> None:
    await store.write("s", [write("ann", 0, "first")])
    assert await store.write("s", [write("ann", 0, "second"), write("bob", 0)]) == [False, True]
    found = await store.changed("s", {"ann": 0}, {"i1": 0})
    assert found.users == {"ann": (1, record("first", 0))}
    assert found.items["i1"][1] == Counts(clicks=2)
    assert await store.write("s", [write("ann", 1, "third")]) == [True]


async def test_what_has_settled_takes_the_place_of_events(store: StateStore) -> None:
    for version, settled, removed in ((0, None, ()), (1, "some", ("e0",)), (2, None, ()), (3, "more", ("e1", "e2"))):
        assert await store.write("s", [write("ann", version, settled, removed)]) == [True]
    assert (await store.changed("s", {"ann": 0}, {})).users == {"ann": (4, record("more", 3))}
    assert (await store.changed("s", {}, {"i1": 0})).items["i1"][1] == Counts(clicks=4)


async def test_of_many_at_once_one_is_first(store: StateStore) -> None:
    outcomes = await asyncio.gather(*(store.write("s", [write("ann", 0, f"{n}")]) for n in range(20)))
    assert sorted(done for (done,) in outcomes) == [False] * 19 + [True]
    assert (await store.changed("s", {}, {"i1": 0})).items == {"i1": (1, Counts(clicks=1))}


async def test_the_earliest_publication_counts(store: StateStore) -> None:
    for at_ms in (5_000, 3_000, 4_000):
        await store.publish("s", {"i1": at_ms, "i2": at_ms})
    await store.publish("s", {})
    found = await store.changed("s", {}, {"i1": 0, "i2": 0})
    assert [counts.published_ms for _, counts in found.items.values()] == [3_000, 3_000]


async def test_scenarios_know_nothing_of_each_other(store: StateStore) -> None:
    await store.write("s", [write("ann", 0)])
    found = await store.changed("t", {"ann": 0}, {"i1": 0})
    assert not found.users
    assert not found.items


async def test_what_somebody_has_of_a_user_that_was_forgotten_is_told(store: StateStore) -> None:
    found = await store.changed("s", {"ann": 7}, {"i1": 7})
    assert found.users == {"ann": (0, UserRecord())}
    assert found.items == {"i1": (0, Counts())}


async def test_redis_that_forgot_its_scripts_is_told_them_again(prefix: str) -> None:
    store, client = RedisStates(SERVER, prefix=prefix, kept_s=60), Redis.from_url(SERVER)
    await store.write("s", [write("ann", 0)])
    await client.script_flush()
    assert await store.write("s", [write("ann", 1), write("bob", 0)]) == [True, True]
    assert 0 < await client.ttl(f"{prefix}:s:u:ann") <= 60
    await client.aclose()
    await store.aclose()


async def test_redis_that_is_away_says_so_and_tells_no_password(unused_tcp_port: int) -> None:
    store = RedisStates(f"redis://ann:s3cret@127.0.0.1:{unused_tcp_port}/0", prefix="x", kept_s=60)
    with pytest.raises(EventsUnavailable) as refused:
        await store.write("s", [write("ann", 0)])
    assert "s3cret" not in str(refused.value)
    with pytest.raises(ConfigurationInvalid):
        RedisStates("http://host", prefix="x", kept_s=60)


async def test_a_memory_forgets_who_changed_longest_ago() -> None:
    store = MemoryStates(max_kept=2)
    for user in ("ann", "bob", "ann", "eve"):
        version = (await store.changed("s", {user: -1}, {})).users[user][0]
        await store.write("s", [write(user, version, user, (), **{user: {"clicks": 1}})])
    found = await store.changed("s", {"ann": 0, "bob": 0, "eve": 0}, {"ann": 0, "bob": 0, "eve": 0})
    assert found.users == {"ann": (2, record("ann", 0, 1)), "eve": (1, record("eve", 0))}
    assert found.items == {"ann": (2, Counts(clicks=2)), "eve": (1, Counts(clicks=1))}
