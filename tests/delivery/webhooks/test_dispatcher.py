from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from reward_llm.delivery.webhooks import Dispatcher, DispatcherConfig, SenderConfig
from reward_llm.domain.webhooks import Attempt, Consignment, DeliveryState, RetrySchedule
from reward_llm.errors import StoreUnavailable
from reward_llm.store import upgrade
from reward_llm.store.outbox import SqlOutbox
from reward_llm.store.sealing import Sealer
from tests.receivers import Received, Receiver, answer, receiver
from tests.webhooks import NEW_SECRET, SECRET, Clock, Office, dispatcher, office, sent

PENDING, DELIVERED, DEAD = DeliveryState.PENDING, DeliveryState.DELIVERED, DeliveryState.DEAD
SHORT = RetrySchedule(pauses_s=(10, 60))


def actions(hook: Receiver) -> list[str]:
    return [r.event["data"]["action"] for r in hook.requests]


async def rolled_back(here: Office, action: str) -> None:
    async with here.database.writing(here.act()) as writing:
        await writing.put_on_record(action, "it")
        raise RuntimeError("power cut")


async def test_what_is_put_on_record_arrives_signed_and_in_order(here: Office) -> None:
    async with receiver() as hook, dispatcher(here.outbox, here.clock) as made:
        await here.add(hook.url)
        await here.happen("thing.made", "other.made", "thing.used")
        await sent(made)
        assert actions(hook) == ["thing.made", "thing.used"]
        for received in hook.requests:
            event = Webhook(SECRET).verify(received.body, received.headers)
            assert event["id"] == received.event_id
    assert await here.states() == [DELIVERED, DELIVERED]


async def test_what_was_rolled_back_never_arrives_and_what_isnt_committed_doesnt_yet(here: Office) -> None:
    async with receiver() as hook, dispatcher(here.outbox, here.clock) as made:
        await here.add(hook.url)
        with pytest.raises(RuntimeError, match="power cut"):
            await rolled_back(here, "thing.lost")
        async with here.database.writing(here.act()) as writing:
            await writing.put_on_record("thing.kept", "it")
            assert await here.outbox.waiting(here.clock()) == []
        await sent(made)
        assert actions(hook) == ["thing.kept"]


async def test_a_failure_is_tried_again_when_it_is_due_under_the_same_id(here: Office) -> None:
    async with receiver(answer(500), answer(200)) as hook, dispatcher(here.outbox, here.clock) as made:
        await here.add(hook.url)
        await here.happen("thing.made")
        await sent(made)
        await sent(made)
        assert len(hook.requests) == 1
        assert await here.states() == [PENDING]
        here.clock.advance(seconds=10)
        await sent(made)
        first, second = hook.requests
    assert (first.event_id, first.body) == (second.event_id, second.body)
    (delivery,) = await here.deliveries()
    assert delivery.state is DELIVERED
    assert [a.status for a in delivery.attempts] == [500, 200]
    assert (await here.webhooks.webhook("whk_1")).failing_since is None


async def test_a_delivery_dies_after_its_last_try_and_lives_again_by_hand(here: Office) -> None:
    async with receiver(answer(500)) as hook, dispatcher(here.outbox, here.clock, schedule=SHORT) as made:
        await here.add(hook.url)
        await here.happen("thing.made")
        for _ in range(5):
            await sent(made)
            here.clock.advance(minutes=2)
        (dead,) = await here.deliveries()
        assert (dead.state, len(hook.requests)) == (DEAD, SHORT.tries)
        assert dead.attempts[-1].error == "answered 500"

        hook.answers = [answer(204)]
        again = await here.webhooks.redeliver(dead.id, here.act())
        assert (again.state, again.event_id) == (PENDING, dead.event_id)
        await sent(made)
        assert {r.event_id for r in hook.requests} == {dead.event_id}
    assert await here.states() == [DELIVERED]


async def test_a_receiver_that_hangs_keeps_no_other_waiting(here: Office) -> None:
    released = asyncio.Event()

    async def hang(_: Received) -> bytes:
        await released.wait()
        return answer(204)

    async with receiver(hang) as slow, receiver() as fast, dispatcher(here.outbox, here.clock) as made:
        await here.add(slow.url, "whk_slow")
        await here.add(fast.url, "whk_fast")
        await here.happen("thing.made", "thing.used", "thing.kept")
        await made.look()
        await slow.has(1)
        await fast.has(3)
        await here.happen("thing.ended")
        while len(fast.requests) < 4:
            await made.look()
            await asyncio.sleep(0.01)
        assert await here.states("whk_slow") == [PENDING] * 4
        released.set()
        await made.settled()
        assert actions(slow) == actions(fast) == ["thing.made", "thing.used", "thing.kept", "thing.ended"]
    assert slow.most_at_once == 1


async def test_a_timeout_is_a_failure_and_the_worker_goes_on(here: Office) -> None:
    async def hang(_: Received) -> bytes:
        await asyncio.Event().wait()
        return b""

    async with receiver(hang) as hook, dispatcher(here.outbox, here.clock, timeout_s=0.1) as made:
        await here.add(hook.url)
        await here.happen("thing.made", "thing.used")
        await sent(made)
    for delivery in await here.deliveries():
        assert delivery.state is PENDING
        assert [a.error for a in delivery.attempts] == ["no answer within 0.1 s"]


class Crashing(SqlOutbox):
    """Loses its database once, between sending and putting that down."""

    crashed = False

    async def settle(self, *arguments: Any) -> None:
        if not self.crashed:
            self.crashed = True
            raise StoreUnavailable("power cut")
        await super().settle(*arguments)


async def test_who_crashes_between_sending_and_noting_it_sends_the_same_event_again(here: Office) -> None:
    outbox = Crashing(here.database, Sealer())
    async with receiver() as hook, dispatcher(outbox, here.clock, lease_s=60.0) as made:
        await here.add(hook.url)
        await here.happen("thing.made")
        await sent(made)
        await sent(made)
        assert outbox.crashed
        assert len(hook.requests) == 1
        here.clock.advance(seconds=61)
        await sent(made)
        first, second = hook.requests
    assert first.event_id == second.event_id
    assert await here.states() == [DELIVERED]


async def test_two_dispatchers_on_one_database_send_everything_once_and_one_at_a_time(
    postgres_url: str,
) -> None:
    await upgrade(postgres_url)
    clock = Clock()

    async def linger(_: Received) -> bytes:
        await asyncio.sleep(0.02)
        return answer(204)

    async with (
        office(postgres_url, clock=clock) as one,
        office(postgres_url, clock=clock) as two,
        receiver(linger) as hook,
        dispatcher(one.outbox, clock) as first,
        dispatcher(two.outbox, clock) as second,
    ):
        await one.add(hook.url)
        await one.happen(*(f"thing.n{'n' * i}" for i in range(8)))
        while PENDING in await one.states():
            await asyncio.gather(first.look(), second.look())
            await asyncio.gather(first.settled(), second.settled())
        ids = [r.event_id for r in hook.requests]
        assert len(ids) == len(set(ids)) == 8
        assert hook.most_at_once == 1


async def test_after_a_rotation_both_secrets_sign_until_the_old_one_ends(here: Office) -> None:
    async with receiver() as hook, dispatcher(here.outbox, here.clock) as made:
        await here.add(hook.url)
        await here.webhooks.rotate("whk_1", NEW_SECRET, timedelta(minutes=2), lambda _: None, here.act())
        await here.happen("thing.made")
        await sent(made)
        here.clock.advance(minutes=3)
        await here.happen("thing.used")
        await sent(made)
        both, new = (r.headers for r in hook.requests)
    assert len(both["webhook-signature"].split()) == 2
    for secret in (SECRET, NEW_SECRET):
        Webhook(secret).verify(hook.requests[0].body, both)
    assert len(new["webhook-signature"].split()) == 1
    Webhook(NEW_SECRET).verify(hook.requests[1].body, new)


async def test_it_runs_until_it_is_cancelled_and_lets_what_is_being_sent_end(here: Office) -> None:
    released = asyncio.Event()

    async def linger(_: Received) -> bytes:
        await released.wait()
        return answer(204)

    async with receiver(linger) as hook, dispatcher(here.outbox, here.clock, grace_s=30.0) as made:
        running = asyncio.create_task(made.run())
        await here.add(hook.url)
        await here.happen("thing.made", "thing.used")
        await hook.has(1)
        running.cancel()
        await asyncio.sleep(0)
        released.set()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert len(hook.requests) == 1
    assert await here.states() == [PENDING, DELIVERED]


class Away(SqlOutbox):
    """A database that is away at first."""

    looks = 0

    async def waiting(self, now: Any) -> Any:
        self.looks += 1
        if self.looks == 1:
            raise StoreUnavailable("away")
        return await super().waiting(now)


async def test_it_goes_on_after_the_database_was_away(here: Office) -> None:
    async with receiver() as hook, dispatcher(Away(here.database, Sealer()), here.clock) as made:
        running = asyncio.create_task(made.run())
        await here.add(hook.url)
        await here.happen("thing.made")
        await hook.has(1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


def test_a_lease_outlasts_what_it_is_for() -> None:
    assert DispatcherConfig().lease_s > 2 * SenderConfig().timeout_s


async def test_a_try_that_breaks_unforeseen_is_a_failure_like_any_other(here: Office) -> None:
    async def broken(_: Consignment) -> Attempt:
        raise OverflowError("what a receiver said")

    made = Dispatcher(
        outbox=here.outbox, send=broken, clock=here.clock, config=DispatcherConfig(schedule=SHORT), chance=lambda: 0.0
    )
    await here.add("https://hooks.example/in")
    await here.happen("thing.made")
    await sent(made)
    (delivery,) = await here.deliveries()
    assert (delivery.state, delivery.tries) == (PENDING, 1)
    assert [a.error for a in delivery.attempts] == ["the service itself failed: OverflowError"]
