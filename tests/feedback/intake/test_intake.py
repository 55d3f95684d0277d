from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from reward_llm.domain.events import Event
from reward_llm.domain.ports.events import Intaken
from reward_llm.errors import EventsUnavailable
from reward_llm.feedback.intake.intake import Intake
from reward_llm.feedback.intake.local import LocalStream
from reward_llm.feedback.intake.recent import RecentEvents
from tests.events import event


class Sink:
    """Keeps what it is handed, if it may."""

    kind = "list"

    def __init__(self) -> None:
        self.kept: list[Event] = []
        self.is_away = False

    async def publish(self, events: Sequence[Event]) -> None:
        if self.is_away:
            raise EventsUnavailable("away")
        self.kept += events

    async def aclose(self) -> None:
        self.is_away = True


def some(count: int, first: int = 0) -> list[Event]:
    return [event(f"e{n}", after_s=n) for n in range(first, first + count)]


async def test_what_came_before_is_not_handed_on_again() -> None:
    sink = Sink()
    intake = Intake([sink])
    assert await intake.take([*some(3), *some(1)]) == Intaken(accepted=3, duplicates=1)
    assert await intake.take(some(5)) == Intaken(accepted=2, duplicates=3)
    assert sink.kept == some(5)
    assert await intake.take([event("e0", scenario="video_feed")]) == Intaken(accepted=1, duplicates=0)


async def test_events_that_one_sink_did_not_keep_may_be_sent_again() -> None:
    first, second = Sink(), Sink()
    intake = Intake([first, second])
    second.is_away = True
    with pytest.raises(EventsUnavailable):
        await intake.take(some(2))
    second.is_away = False
    assert await intake.take(some(2)) == Intaken(accepted=2, duplicates=0)
    assert (len(first.kept), len(second.kept)) == (4, 2)
    await intake.aclose()
    assert first.is_away
    assert second.is_away


async def test_what_is_sent_again_while_it_is_on_its_way_is_not_taken_for_kept() -> None:
    class Slow(Sink):
        may_go = asyncio.Event()

        async def publish(self, events: Sequence[Event]) -> None:
            await self.may_go.wait()
            await super().publish(events)

    sink = Slow()
    intake = Intake([sink])
    twice = [asyncio.create_task(intake.take(some(1))) for _ in range(2)]
    await asyncio.sleep(0.01)
    assert not any(task.done() for task in twice)
    sink.may_go.set()
    assert [taken.accepted for taken in await asyncio.gather(*twice)] == [1, 1]
    assert await intake.take(some(1)) == Intaken(accepted=0, duplicates=1)


def test_the_last_ids_are_remembered_and_the_oldest_forgotten() -> None:
    recent = RecentEvents(remembered=10)
    for n in range(30):
        recent.remember(some(1, n))
    assert not recent.fresh(some(10, 20))
    assert recent.fresh(some(10)) == some(10)


async def test_a_local_stream_hands_on_everything_in_order() -> None:
    stream, seen = LocalStream(), []

    async def handle(events: Sequence[Event]) -> None:
        await asyncio.sleep(0)
        seen.extend(events)

    task = asyncio.create_task(stream.run(handle))
    for first in range(0, 3_000, 100):
        await stream.publish(some(100, first))
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        while stream.waiting:  # noqa: ASYNC110 - a stream tells nobody
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert seen == some(3_000)
    await stream.publish(some(1, 3_000))
    await stream.aclose()
    assert len(seen) == 3_001


async def test_a_local_stream_that_is_full_takes_nothing_and_says_so() -> None:
    stream = LocalStream(max_waiting=5)
    await stream.publish(some(4))
    with pytest.raises(EventsUnavailable) as refused:
        await stream.publish(some(2, 4))
    assert refused.value.retryable
    assert stream.waiting == 4


async def test_a_consumer_that_is_stuck_does_not_hold_up_the_end() -> None:
    stream = LocalStream(farewell_s=0.05)

    async def stuck(events: Sequence[Event]) -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(stream.run(stuck))
    await stream.publish(some(3))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(5):
        await stream.aclose()
    assert stream.waiting == 3


async def test_a_batch_whose_handling_was_cut_off_waits_on() -> None:
    stream, seen = LocalStream(), []

    async def stuck(events: Sequence[Event]) -> None:
        await asyncio.Event().wait()

    async def handle(events: Sequence[Event]) -> None:
        seen.extend(events)

    task = asyncio.create_task(stream.run(stuck))
    await stream.publish(some(3))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    again = asyncio.create_task(stream.run(handle))
    await asyncio.sleep(0.01)
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)
    assert seen == some(3)
