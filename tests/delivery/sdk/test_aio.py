from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reward_llm.delivery.sdk import AsyncWeightsClient, ClientChange
from tests.delivery.sdk.documents import document, encoded, item
from tests.delivery.sdk.scripted import DEADLINE_S, Scripted, scripted


@pytest.fixture
def service() -> Iterator[Scripted]:
    with scripted() as running:
        yield running


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


def version(client: AsyncWeightsClient) -> int | None:
    found = client.weights("home_feed")
    return None if found is None else found.version


async def test_a_change_arrives(service: Scripted) -> None:
    changes: list[ClientChange] = []
    async with AsyncWeightsClient(service.url, poll_s=3600, on_change=changes.append) as client:
        assert await client.wait_ready(30)
        assert client.running
        await until(lambda: client.health().streaming)
        await asyncio.to_thread(service.serve, document(revision=2))
        await until(lambda: version(client) == 2)
    assert not client.running
    assert version(client) == 2
    assert [c.new_revision for c in changes] == [1, 2]


async def test_it_starts_without_a_service_and_finds_it_later(service: Scripted) -> None:
    service.stop()
    client = AsyncWeightsClient(service.url, poll_s=0.1)
    await client.start()
    assert not await client.wait_ready(0.1)
    service.start()
    assert await client.wait_ready(30)
    await client.close()
    await client.close()


async def test_what_is_remembered_is_served_from_the_start(service: Scripted, tmp_path: Path) -> None:
    async with AsyncWeightsClient(service.url, cache=tmp_path / "w") as client:
        assert await client.wait_ready(30)
    service.stop()
    async with AsyncWeightsClient(service.url, cache=tmp_path / "w", bootstrap=b"{}") as again:
        assert version(again) == 1
        health = again.health()
        assert (health.source, health.stale) == ("cache", True)
        assert "bootstrap" in health.notes[0]


async def test_starting_and_closing_again_and_again(service: Scripted) -> None:
    client = AsyncWeightsClient(service.url)
    await client.close()
    for _ in range(3):
        await asyncio.gather(client.start(), client.start())
        assert await client.wait_ready(30)
        await client.close()
        assert not client.running
    assert not [t for t in asyncio.all_tasks() if t.get_name() == "reward-llm-weights"]


async def test_closing_at_once_leaves_nothing_behind(service: Scripted) -> None:
    service.answer = service.greet = lambda _: None
    client = AsyncWeightsClient(service.url)
    await client.start()
    await client.close()
    assert len(asyncio.all_tasks()) == 1


async def test_the_callers_loop_goes_on_while_much_is_read(service: Scripted) -> None:
    many = document(item(), *(item(segment=f"s{i}") for i in range(5_000)), revision=2)
    async with AsyncWeightsClient(service.url, poll_s=0.2) as client:
        assert await client.wait_ready(30)
        body = encoded(many)
        assert len(body) > 1_500_000
        await asyncio.to_thread(service.serve, many)
        turns = 0
        deadline = time.monotonic() + DEADLINE_S
        while version(client) == 1 and time.monotonic() < deadline:
            turns += 1
            await asyncio.sleep(0)
        assert client.health().scopes == 5_001
        assert turns > 100
