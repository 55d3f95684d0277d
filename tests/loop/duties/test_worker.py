from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from reward_llm.domain.duties import Duty
from reward_llm.domain.ports.leader import Leadership
from reward_llm.errors import Conflict, InvalidInput, StoreUnavailable
from reward_llm.loop.duties.worker import Worker, WorkerConfig

NOW = datetime(2026, 6, 18, 12, tzinfo=UTC)
OFTEN = timedelta(milliseconds=5)
SELDOM = timedelta(days=1)
SOON_S = 20.0


class Lock:
    """One lock that several workers share; a test takes leadership away or the lock itself."""

    name = "test"

    def __init__(self) -> None:
        self.held = False
        self.is_away = False
        self.taken_away = asyncio.Event()

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[Leadership | None]:
        if self.is_away:
            raise StoreUnavailable("away")
        if self.held:
            yield None
            return
        self.held = True
        try:
            yield self
        finally:
            self.held = False

    async def lost(self) -> None:
        await self.taken_away.wait()
        self.taken_away.clear()


class Counting:
    """A duty that counts how often it is done, and says so."""

    def __init__(self, name: str = "counting", every: timedelta = OFTEN) -> None:
        self.done = 0
        self.told = asyncio.Condition()
        self.duty = Duty(name=name, every=every, run=self.run)

    async def run(self) -> None:
        async with self.told:
            self.done += 1
            self.told.notify_all()

    async def reaches(self, number: int) -> None:
        async with asyncio.timeout(SOON_S), self.told:
            await self.told.wait_for(lambda: self.done >= number)


def working(lock: Lock, *duties: Duty, grace_s: float = SOON_S) -> Worker:
    return Worker(lock, duties, lambda: NOW, WorkerConfig(retry_s=0.01, grace_s=grace_s))


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(worker.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_duty_that_fails_is_done_again_and_stops_no_other() -> None:
    async def fail() -> None:
        await failing.run()
        raise ZeroDivisionError("by hand")

    counting, failing = Counting(), Counting()
    worker = working(Lock(), Duty(name="failing", every=OFTEN, run=fail), counting.duty)
    async with running(worker):
        await counting.reaches(5)
        await failing.reaches(3)
    assert worker.records["failing"].failures >= 2
    assert worker.records["failing"].error == "ZeroDivisionError: by hand"
    assert worker.records["counting"].failures == 0
    assert worker.records["counting"].last_at == NOW


async def test_a_slow_duty_holds_up_no_other_and_doesnt_run_beside_itself() -> None:
    at_once, most = 0, 0

    async def dawdle() -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.05)
        at_once -= 1

    counting = Counting()
    async with running(working(Lock(), Duty(name="slow", every=OFTEN, run=dawdle), counting.duty)):
        await counting.reaches(20)
    assert most == 1


async def test_of_two_workers_one_works_until_it_stops() -> None:
    lock, first, second = Lock(), Counting(), Counting()
    one, other = working(lock, first.duty), working(lock, second.duty)
    async with running(one):
        await first.reaches(1)
        async with running(other):
            await first.reaches(5)
            assert (one.leads, other.leads, second.done) == (True, False, 0)
    assert not one.leads
    async with running(other):
        await second.reaches(2)
        assert other.leads


async def test_what_runs_ends_before_a_worker_stops() -> None:
    begun, ended = asyncio.Event(), []

    async def work() -> None:
        begun.set()
        await asyncio.sleep(0.05)
        ended.append(True)

    async with running(working(Lock(), Duty(name="slow", every=SELDOM, run=work))):
        await begun.wait()
    assert ended == [True]


async def test_what_takes_longer_than_the_grace_is_cut_off() -> None:
    begun, cut = asyncio.Event(), []

    async def hang() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cut.append(True)
            raise

    async with running(working(Lock(), Duty(name="hanging", every=SELDOM, run=hang), grace_s=0.01)):
        await begun.wait()
    assert cut == [True]


async def test_who_loses_the_lock_stops_at_once_and_tries_again() -> None:
    lock, begun, cut = Lock(), asyncio.Event(), []

    async def hang() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cut.append(True)

    async with running(working(lock, Duty(name="hanging", every=SELDOM, run=hang), grace_s=0.01)):
        await begun.wait()
        begun.clear()
        lock.taken_away.set()
        await asyncio.wait_for(begun.wait(), SOON_S)
        assert cut == [True]


async def test_a_lock_that_is_away_is_tried_again() -> None:
    lock, counting = Lock(), Counting()
    lock.is_away = True
    with capture_logs() as logs:
        async with running(working(lock, counting.duty)) as task:
            await asyncio.sleep(0.05)
            assert counting.done == 0
            assert not task.done()
            lock.is_away = False
            await counting.reaches(1)
    said = [line["event"] for line in logs if line["event"].startswith("worker.")]
    assert said == ["worker.lock_away", "worker.leads"]


async def test_every_duty_is_done_once_where_that_is_asked() -> None:
    async def fail() -> None:
        raise ValueError("no")

    one, other = Counting("one"), Counting("other")
    worker = working(Lock(), one.duty, Duty(name="failing", every=SELDOM, run=fail), other.duty)
    records = await worker.once()
    assert (one.done, other.done) == (1, 1)
    assert {name: r.failures for name, r in records.items()} == {"one": 0, "failing": 1, "other": 0}


async def test_nothing_is_done_once_where_another_leads() -> None:
    lock, counting = Lock(), Counting()
    lock.held = True
    with pytest.raises(Conflict, match="another process"):
        await working(lock, counting.duty).once()
    assert counting.done == 0


def test_duties_need_names_of_their_own_and_intervals() -> None:
    one = Counting("same").duty
    with pytest.raises(InvalidInput):
        working(Lock(), one, Counting("same").duty)
    with pytest.raises(InvalidInput):
        working(Lock(), Duty(name="always", every=timedelta(0), run=one.run))
