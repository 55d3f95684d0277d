"""What sinks and sources do over every broker."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from nats.js.errors import BadRequestError
from nats.js.manager import JetStreamManager

from reward_llm.domain.events import Event, event_document
from reward_llm.errors import EventsUnavailable
from reward_llm.feedback.intake.streams import links
from reward_llm.feedback.intake.streams.encoding import MAX_MESSAGE_BYTES, events_of, messages
from reward_llm.feedback.intake.streams.sink import BrokerSink
from reward_llm.feedback.intake.streams.source import BrokerSource
from tests.events import event
from tests.feedback.intake.brokers import KINDS, Broker, broker

PATIENCE_S = 40.0


@dataclass(slots=True)
class Consumer:
    """Somebody who takes events in, unless told to fail."""

    seen: list[str] = field(default_factory=list)
    failures: int = 0
    takes_s: float = 0.0

    async def handle(self, events: Sequence[Event]) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("stumbled")
        await asyncio.sleep(self.takes_s)
        self.seen += [e.event_id for e in events]


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path: Path, unused_tcp_port: int) -> Iterator[Broker]:
    with broker(request.param, tmp_path, unused_tcp_port) as made:
        yield made


@pytest.fixture(params=["nats", "redis"])
def mortal(request: pytest.FixtureRequest, tmp_path: Path, unused_tcp_port: int) -> Iterator[Broker]:
    """A broker that can be killed; Kafka's is a part of this process."""
    with broker(request.param, tmp_path, unused_tcp_port) as made:
        yield made


@asynccontextmanager
async def sink_of(server: Broker) -> AsyncIterator[BrokerSink]:
    sink = BrokerSink(server.kind, server.open_link)
    yield sink
    await sink.aclose()


@asynccontextmanager
async def consuming(server: Broker, group: str = "g", takes_s: float = 0.0) -> AsyncIterator[Consumer]:
    consumer, source = Consumer(takes_s=takes_s), BrokerSource(server.kind, group, server.open_link)
    task = asyncio.create_task(source.run(consumer.handle))
    try:
        yield consumer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - a broker tells nobody
            await asyncio.sleep(0.02)


def some(count: int, first: int = 0) -> list[Event]:
    return [event(f"e{n}", after_s=n) for n in range(first, first + count)]


def ids(count: int, first: int = 0) -> set[str]:
    return {f"e{n}" for n in range(first, first + count)}


async def test_what_was_published_before_anybody_listened_arrives(server: Broker) -> None:
    async with sink_of(server) as sink:
        await sink.publish(some(1_000))
        async with consuming(server) as consumer:
            await until(lambda: len(consumer.seen) >= 1_000)
            await sink.publish(some(10, 1_000))
            await until(lambda: set(consumer.seen) == ids(1_010))
    assert len(consumer.seen) == 1_010


async def test_all_who_come_first_at_once_are_let_in(server: Broker) -> None:
    opened = [server.open_link() for _ in range(16)]
    try:
        await asyncio.gather(*(link.connect() for link in opened))
    finally:
        await asyncio.gather(*(link.aclose() for link in opened))


async def test_a_stream_that_nats_is_still_making_for_another_is_waited_for(
    tmp_path: Path, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, refusals = JetStreamManager.add_stream, [BadRequestError(code=400, err_code=10065)]

    async def made(manager: JetStreamManager, **options: Any) -> None:
        if refusals:
            raise refusals.pop()
        await make(manager, **options)

    monkeypatch.setattr(JetStreamManager, "add_stream", made)
    with broker("nats", tmp_path, unused_tcp_port) as server:
        async with sink_of(server) as sink, consuming(server) as consumer:
            await sink.publish(some(3))
            await until(lambda: set(consumer.seen) == ids(3))
    assert refusals == []


async def test_a_group_shares_the_events_and_another_is_handed_them_too(server: Broker) -> None:
    async with sink_of(server) as sink:
        await sink.publish(some(5))
        async with consuming(server) as first, consuming(server, "other") as second:
            await until(lambda: set(first.seen) == set(second.seen) == ids(5))
        await sink.publish(some(5, 5))
        async with consuming(server) as again:
            await until(lambda: set(again.seen) >= ids(5, 5))


async def test_a_batch_that_failed_comes_again(server: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reward_llm.feedback.intake.streams.source._LONGEST_PAUSE_S", 0.05)
    for module in ("nats", "redis"):
        monkeypatch.setattr(f"reward_llm.feedback.intake.streams.{module}.REDELIVER_S", 1.0)
    async with sink_of(server) as sink:
        await sink.publish(some(3))
        async with consuming(server) as consumer:
            consumer.failures = 1
            await until(lambda: set(consumer.seen) == ids(3))


async def test_what_is_still_worked_on_is_given_to_nobody_else(
    mortal: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"reward_llm.feedback.intake.streams.{mortal.kind}.REDELIVER_S", 2.0)
    async with sink_of(mortal) as sink, consuming(mortal, takes_s=6.0) as slow:
        await sink.publish(some(10))
        await asyncio.sleep(1.0)
        async with consuming(mortal) as other:
            await until(lambda: len(slow.seen) >= 10)
            await asyncio.sleep(2.0)
            assert (sorted(slow.seen), other.seen) == (sorted(ids(10)), [])


async def test_nothing_is_lost_by_a_worker_that_stumbles(mortal: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"reward_llm.feedback.intake.streams.{mortal.kind}.REDELIVER_S", 600.0)

    async def publish() -> None:
        async with sink_of(mortal) as sink:
            for number in range(500):
                await sink.publish(some(1, number))
                await asyncio.sleep(0.01)

    async with consuming(mortal) as consumer:
        publishing = asyncio.create_task(asyncio.to_thread(asyncio.run, publish()))
        while not publishing.done():
            await asyncio.sleep(random.uniform(0.0, 0.05))
            time.sleep(random.uniform(0.0, 0.2))  # noqa: ASYNC251 - nobody else's task runs meanwhile
        await publishing
        await until(lambda: set(consumer.seen) == ids(500))


async def test_what_is_no_event_is_passed_over(server: Broker) -> None:
    link = server.open_link()
    await link.connect()
    for body in (b"nonsense", b"{}", b"[1, null]", b"\xff\xfe", json.dumps([event_document(event("e0"))]).encode()):
        await link.publish(body)
    async with consuming(server) as consumer:
        await until(lambda: consumer.seen == ["e0"])
    await link.aclose()


async def test_a_broker_that_was_killed_loses_nothing_that_was_accepted(mortal: Broker) -> None:
    async with sink_of(mortal) as sink, consuming(mortal) as consumer:
        await sink.publish(some(10))
        await until(lambda: set(consumer.seen) == ids(10))
        await sink.publish(some(10, 10))
        mortal.kill()
        with pytest.raises(EventsUnavailable):
            await sink.publish(some(10, 20))
        mortal.start()
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    await sink.publish(some(10, 30))
                except EventsUnavailable:
                    await asyncio.sleep(0.1)
                else:
                    break
        await until(lambda: set(consumer.seen) >= ids(20) | ids(10, 30))


async def test_a_worker_waits_for_a_broker_that_is_not_there_yet(mortal: Broker) -> None:
    mortal.kill()
    async with consuming(mortal) as consumer:
        await asyncio.sleep(0.3)
        mortal.start()
        async with sink_of(mortal) as sink:
            await sink.publish(some(3))
            await until(lambda: set(consumer.seen) == ids(3))


async def test_a_broker_that_is_away_is_named_without_its_password(unused_tcp_port: int) -> None:
    for kind, scheme in (("nats", "nats"), ("redis", "redis")):
        server = Broker(kind, f"{scheme}://ann:s3cret@127.0.0.1:{unused_tcp_port}")
        async with sink_of(server) as sink:
            with pytest.raises(EventsUnavailable) as refused:
                await sink.publish(some(1))
            assert kind in refused.value.message
            assert "s3cret" not in refused.value.message + (refused.value.hint or "")


def test_messages_are_small_enough_and_hold_everything() -> None:
    long = [replace(e, segment="段" * 200, policy_id="p" * 200) for e in some(1_000)]
    bodies = list(messages(long))
    assert len(bodies) > 1
    assert all(len(b) <= MAX_MESSAGE_BYTES + 2_000 for b in bodies)
    assert events_of([json.loads(b) for b in bodies]) == long
    assert not list(messages([]))
    assert links.MAX_MESSAGES > 0
