from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from reward_llm.delivery.feeds.kept import KeepingConfig, KeptFeed
from reward_llm.delivery.feeds.polling import Polling
from reward_llm.domain.ports import ChangeFeed
from tests.feeds import until

SOON = KeepingConfig(patience_s=0.2, first_pause_s=0.01, longest_pause_s=0.02)


@asynccontextmanager
async def running(feed: ChangeFeed, on_change: Callable[[], None]) -> AsyncIterator[None]:
    task = asyncio.create_task(feed.run(on_change))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


class Source:
    """A source that does what it is told."""

    kind = "scripted"

    def __init__(self) -> None:
        self.attempts = 0
        self.beating = True
        self.failure: Exception | None = None
        self.change: Callable[[], None] = lambda: None
        self.announced: list[int] = []

    async def listen(self, on_change: Callable[[], None], on_beat: Callable[[], None]) -> None:
        self.attempts += 1
        self.change = on_change
        while True:
            if self.failure is not None:
                raise self.failure
            if self.beating:
                on_beat()
            await asyncio.sleep(0.01)

    async def announce(self, revision: int) -> None:
        self.announced.append(revision)


async def test_a_feed_is_connected_once_it_hears_itself() -> None:
    source, heard = Source(), []
    source.beating = False
    feed = KeptFeed(source, SOON)
    assert (feed.status().connected, feed.status().silent_s) == (False, None)
    async with running(feed, lambda: heard.append(1)):
        await until(lambda: source.attempts == 2)
        status = feed.status()
        assert not status.connected
        assert "no beat within 0.2 s" in status.detail
        assert not heard
        source.beating = True
        await until(lambda: feed.status().connected)
        assert len(heard) == 1
        assert feed.kind == feed.status().kind == "scripted"


async def test_after_each_connect_the_board_is_asked_to_look_for_what_was_missed() -> None:
    source, heard = Source(), []
    feed = KeptFeed(source, SOON)
    async with running(feed, lambda: heard.append(1)):
        await until(lambda: feed.status().connected)
        source.failure = ConnectionError("cut")
        await until(lambda: source.attempts > 3)
        assert not feed.status().connected
        assert feed.status().detail.endswith("ConnectionError: cut")
        assert len(heard) == 1
        source.failure = None
        await until(lambda: feed.status().connected)
        assert len(heard) == 2


async def test_a_connection_that_goes_silent_is_given_up() -> None:
    source = Source()
    feed = KeptFeed(source, SOON)
    async with running(feed, lambda: None):
        await until(lambda: feed.status().connected)
        source.beating = False
        await until(lambda: source.attempts > 1)
        silent_s = feed.status().silent_s
        assert not feed.status().connected
        assert silent_s is not None
        assert silent_s >= SOON.patience_s


async def test_changes_do_not_stand_for_beats() -> None:
    source = Source()
    feed = KeptFeed(source, SOON)
    async with running(feed, lambda: None):
        await until(lambda: feed.status().connected)
        source.beating = False
        while source.attempts == 1:
            source.change()
            await asyncio.sleep(0.01)
        assert not feed.status().connected


async def test_what_a_lost_connection_still_tells_is_not_heard() -> None:
    source, heard = Source(), []
    feed = KeptFeed(source, SOON)
    async with running(feed, lambda: heard.append(1)):
        await until(lambda: feed.status().connected)
        late, source.failure = source.change, OSError()
        await until(lambda: not feed.status().connected)
        late()
        assert len(heard) == 1


async def test_a_timeout_of_the_source_is_told_from_silence() -> None:
    source = Source()
    source.failure = TimeoutError("no route")
    feed = KeptFeed(source, SOON)
    async with running(feed, lambda: None):
        await until(lambda: source.attempts > 1)
        assert feed.status().detail.endswith("TimeoutError: no route")


async def test_pauses_grow_to_a_bound() -> None:
    source = Source()
    source.failure = ConnectionError("refused")
    feed = KeptFeed(source, KeepingConfig(first_pause_s=0.01, longest_pause_s=0.05))
    async with running(feed, lambda: None):
        await until(lambda: source.attempts > 4)
        assert all(0.025 <= feed._pause_s() <= 0.05 for _ in range(100))


async def test_announcements_are_left_to_the_source() -> None:
    source = Source()
    await KeptFeed(source).announce(7)
    assert source.announced == [7]


async def test_polling_hears_nothing_and_misses_nothing() -> None:
    feed, heard = Polling(every_s=2), []
    async with running(feed, lambda: heard.append(1)):
        await feed.announce(1)
        await asyncio.sleep(0.01)
    status = feed.status()
    assert (status.kind, status.connected, status.silent_s) == ("polling", True, None)
    assert status.detail == "looks every 2 s"
    assert not heard


def test_a_feed_that_was_never_run_says_so() -> None:
    assert KeptFeed(Source()).status().detail.startswith("never listened")


async def test_a_feed_whose_first_beat_is_not_heard_yet_says_that_it_is_connecting() -> None:
    source = Source()
    source.beating = False
    feed = KeptFeed(source, KeepingConfig(patience_s=3_600))
    async with running(feed, lambda: None):
        await until(lambda: source.attempts == 1)
        status = feed.status()
        assert not status.connected
        assert status.detail.startswith("connecting for ")
        assert status.detail.endswith("changes are found by looking for them")


@pytest.mark.parametrize("failures", [1, 50])
async def test_any_number_of_failures_gives_a_pause(failures: int) -> None:
    feed = KeptFeed(Source())
    feed._failures = failures
    assert 0 < feed._pause_s() <= KeepingConfig().longest_pause_s
