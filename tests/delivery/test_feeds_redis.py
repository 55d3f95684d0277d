from __future__ import annotations

import asyncio
import os
import secrets
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as NotConnected

from reward_llm.delivery.feeds.kept import KeptFeed
from reward_llm.delivery.feeds.redis import RedisSource
from reward_llm.errors import ConfigurationInvalid
from reward_llm.store import upgrade
from tests.feeds import BEAT_S, KEEPING, Process, process, until
from tests.network import FaultyProxy

SERVER = os.environ.get("REWARD_LLM_TEST_REDIS_URL") or "redis://127.0.0.1:6379/0"


@pytest.fixture
async def redis() -> AsyncIterator[Redis]:
    """A client of the server; REWARD_LLM_REQUIRE_REDIS=1 makes its absence a failure."""
    client = Redis.from_url(SERVER, decode_responses=True)
    try:
        await client.ping()
    except NotConnected as exc:
        if os.environ.get("REWARD_LLM_REQUIRE_REDIS") == "1":
            pytest.fail(f"no Redis at {SERVER}: {exc}")
        pytest.skip(f"no Redis at REWARD_LLM_TEST_REDIS_URL or the standard port: {exc}")
    yield client
    await client.aclose()


@pytest.fixture
def channel() -> str:
    return f"reward-llm-test-{secrets.token_hex(8)}"


@pytest.fixture
async def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/store.db"
    await upgrade(url)
    return url


def source(channel: str, server: str = SERVER) -> RedisSource:
    return RedisSource(server, channel=channel, beat_s=BEAT_S)


@asynccontextmanager
async def connected(url: str, channel: str, server: str = SERVER) -> AsyncIterator[Process]:
    async with process(url, source(channel, server)) as made:
        await made.catches_up()
        yield made


@pytest.fixture
async def pair(url: str, channel: str, redis: Redis) -> AsyncIterator[tuple[Process, Process]]:
    async with connected(url, channel) as first, connected(url, channel) as second:
        yield first, second


async def cut_off(redis: Redis, channel: str) -> int:
    """Close the connections of those who listen to a channel, and nobody else's."""
    listeners = [c for c in await redis.client_list(_type="pubsub") if c["name"] == f"reward-llm:{channel}"]
    for client in listeners:
        await redis.client_kill_filter(_id=client["id"])
    return len(listeners)


async def test_what_one_process_activates_or_freezes_the_other_serves(pair: tuple[Process, Process]) -> None:
    first, second = pair
    for step in (1, 2, 3):
        policy = await first.activate(step)
        await until(lambda p=policy: second.serves() == p)
    await second.freeze(frozen=True)
    await until(lambda: first.serves() != policy)
    assert first.board.revision == 4


async def test_who_was_cut_off_says_so_and_catches_up(
    pair: tuple[Process, Process], redis: Redis, channel: str
) -> None:
    first, second = pair
    assert await cut_off(redis, channel) == 2
    await until(lambda: not second.feed.status().connected)
    assert "silent for" in second.feed.status().detail
    policy = await first.activate()
    await until(lambda: second.serves() == policy)
    await second.catches_up()


async def test_a_connection_that_is_open_and_dead_is_found_out(url: str, channel: str, redis: Redis) -> None:
    port = urlsplit(SERVER).port or 6379
    with FaultyProxy(port) as proxy:
        through = SERVER.replace(f":{port}", f":{proxy.port}")
        async with connected(url, channel) as first, connected(url, channel, through) as second:
            proxy.freeze()
            policy = await first.activate()
            await until(lambda: not second.feed.status().connected)
            await until(lambda: second.serves() == policy)


async def test_announcements_wait_for_the_server_and_writers_do_not(url: str, channel: str, redis: Redis) -> None:
    port = urlsplit(SERVER).port or 6379
    with FaultyProxy(port) as proxy:
        through = SERVER.replace(f":{port}", f":{proxy.port}")
        async with connected(url, channel, through) as first, connected(url, channel) as second:
            proxy.set(refuse=True)
            proxy.reset()
            await until(lambda: not first.feed.status().connected)
            for step in range(1, 20):
                policy = await first.activate(step)
            assert second.board.revision == 0
            proxy.heal()
            await until(lambda: second.serves() == policy)


async def test_others_on_the_same_server_hear_nothing(url: str, channel: str, redis: Redis) -> None:
    async with connected(url, channel) as first, connected(url, f"{channel}-other") as other:
        policy = await first.activate()
        await until(lambda: first.serves() == policy)
        await redis.publish(f"{channel}:changes", "1")
        assert other.board.revision == 0


async def test_what_anybody_else_publishes_is_a_reason_to_look_and_no_more(
    pair: tuple[Process, Process], redis: Redis, channel: str
) -> None:
    first, second = pair
    for nonsense in (b"", b"\xff\x00", b"9" * 10_000, "§"):
        await redis.publish(f"{channel}:changes", nonsense)
    policy = await first.activate()
    await until(lambda: second.serves() == policy)
    assert second.feed.status().connected


async def test_announcing_comes_back_to_nobody_as_an_announcement(
    pair: tuple[Process, Process], redis: Redis, channel: str
) -> None:
    heard = redis.pubsub(ignore_subscribe_messages=True)
    await heard.subscribe(f"{channel}:changes")
    policy = await pair[0].activate()
    await until(lambda: pair[1].serves() == policy)
    await pair[1].feed.announce(7)
    told = []
    while "7" not in told:
        message = await heard.get_message(timeout=1)
        told += [message["data"]] if message else []
    assert told == ["0", "7"]
    await heard.aclose()


async def test_the_password_is_in_no_message(unused_tcp_port: int, redis: Redis, channel: str) -> None:
    host = urlsplit(SERVER).netloc
    for server in (f"redis://ann:s3cret@127.0.0.1:{unused_tcp_port}/0", f"redis://ann:s3cret@{host}/0"):
        feed = KeptFeed(source(channel, server), KEEPING)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await feed.run(lambda: None)
        assert not feed.status().connected
        assert "Error" in feed.status().detail
        assert "s3cret" not in feed.status().detail + repr(feed)


@pytest.mark.parametrize("wrong", ["http://host", "redis://ann:s3/cret@host:x/0", "redis://host:s3cret"])
def test_a_url_that_cannot_be_used_is_refused_without_being_told(wrong: str) -> None:
    with pytest.raises(ConfigurationInvalid) as refused:
        RedisSource(wrong, channel="x")
    assert "s3" not in "".join(traceback.format_exception(refused.value, limit=0, chain=True))
    assert "rediss://" in (refused.value.hint or "")
