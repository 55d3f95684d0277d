from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from reward_llm.agents.live.cache import StateReader
from reward_llm.agents.live.counts import Counts
from reward_llm.agents.live.mood import Mood
from reward_llm.agents.live.stores import UserWrite
from reward_llm.agents.live.stores.memory import MemoryStates
from reward_llm.agents.live.stores.redis import RedisStates
from reward_llm.agents.live.updater import Updater
from reward_llm.agents.live.user_state import Outcome
from reward_llm.domain.events import Event, EventType
from reward_llm.errors import EventsUnavailable
from tests.agents.live.conftest import SERVER
from tests.events import STATE, event

USERS = [f"u{n}" for n in range(5)]
ITEMS = [f"i{n}" for n in range(4)]


def a_day(dice: random.Random, count: int) -> list[Event]:
    """Events of some users over eight minutes, in order."""
    kinds = [k for k in EventType if k is not EventType.PUBLISH]
    return [
        event(
            f"e{n}",
            dice.choice(kinds),
            n * 480 / count,
            user=dice.choice(USERS),
            item=dice.choice(ITEMS),
            category=dice.choice("abc"),
            value=dice.choice([0.01, 3.5, 19.99]),
            boosted=dice.random() < 0.3,
            cost=0.1,
        )
        for n in range(count)
    ]


async def everything(store: MemoryStates | RedisStates) -> tuple[dict[str, Mood], dict[str, Counts]]:
    """All that a store knows of the users and items here."""
    reader = StateReader(store, STATE)
    found = {user: await reader.read("home_feed", user, ITEMS) for user in USERS}
    return {user: state.now() for user, (state, _) in found.items()}, dict(found[USERS[0]][1])


async def replayed(events: Sequence[Event]) -> tuple[dict[str, Mood], dict[str, Counts]]:
    """What the log gives, one event at a time."""
    store = MemoryStates()
    updater = Updater(store, STATE)
    for sent in events:
        await updater.apply([sent])
    return await everything(store)


@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(1, 20))
async def test_disorder_and_repetition_give_the_same_state_as_the_log(seed: int, count: int, batch: int) -> None:
    dice = random.Random(seed)
    log = a_day(dice, count)
    sent = [*log, *dice.sample(log, count // 3)]
    dice.shuffle(sent)
    store = MemoryStates()
    for start in range(0, len(sent), batch):
        await Updater(store, STATE).apply(sent[start : start + batch])
    assert await everything(store) == await replayed(log)


async def test_several_workers_on_the_same_users_lose_nothing(prefix: str) -> None:
    log = a_day(random.Random(1), 400)
    stores = [RedisStates(SERVER, prefix=prefix, kept_s=60) for _ in range(3)]
    workers = [Updater(store, STATE) for store in stores]
    batches = [log[n : n + 20] for n in range(0, 400, 20)]
    shared = [(workers[n % 3], batch) for n, batch in enumerate([*batches, *batches[::2]])]
    for start in range(0, len(shared), 6):
        await asyncio.gather(*(worker.apply(batch) for worker, batch in shared[start : start + 6]))
    assert await everything(stores[0]) == await replayed(log)
    assert sum((w.tally for w in workers[1:]), workers[0].tally)[Outcome.APPLIED] == 400
    for store in stores:
        await store.aclose()


class Flaky(MemoryStates):
    """Fails in the middle of writing, again and again."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self._dice = dice

    async def write(self, scenario: str, writes: Sequence[UserWrite]) -> list[bool]:
        some = writes[: self._dice.randint(0, len(writes))]
        done = await super().write(scenario, some)
        if len(some) < len(writes):
            raise EventsUnavailable("away")
        return done


async def test_a_store_that_fails_in_the_middle_ends_up_right(monkeypatch: object) -> None:
    log = a_day(random.Random(2), 60)
    store = Flaky(random.Random(3))
    updater = Updater(store, STATE)
    for start in range(0, 60, 10):
        while True:
            try:
                await updater.apply(log[start : start + 10])
            except EventsUnavailable:
                continue
            break
    assert await everything(store) == await replayed(log)


async def test_a_worker_waits_for_its_store(prefix: str) -> None:
    class Away(MemoryStates):
        failures = 2

        async def publish(self, scenario: str, published_ms: object) -> None:
            if self.failures:
                self.failures -= 1
                raise EventsUnavailable("away")

    store = Away()
    updater = Updater(store, STATE)
    await updater.apply_surely([event()])
    assert store.failures == 0
    assert updater.tally == {Outcome.APPLIED: 1}


async def test_what_became_of_events_is_tallied() -> None:
    updater = Updater(MemoryStates(), STATE)
    await updater.apply([event("a"), event("a"), event("b", after_s=STATE.lateness_s + 1)])
    await updater.apply([event("c"), event("b", after_s=STATE.lateness_s + 1)])
    assert updater.tally == {Outcome.APPLIED: 2, Outcome.DUPLICATE: 2, Outcome.LATE: 1}


async def test_money_and_time_are_counted_to_the_last_bit() -> None:
    store = MemoryStates()
    await Updater(store, STATE).apply(
        [
            event("a", EventType.PURCHASE, value=0.1),
            event("b", EventType.PURCHASE, value=0.2),
            event("c", EventType.VIEW, value=1.5),
            event("d", EventType.IMPRESSION, boosted=True, cost=0.3),
            event("e", EventType.IMPRESSION, cost=0.3),
            event("f", EventType.PUBLISH, user=None, creator="c"),
        ]
    )
    counts = (await StateReader(store, STATE).read("home_feed", "u1", ["i1"]))[1]["i1"]
    assert counts == Counts(
        purchases=2,
        revenue_micros=300_000,
        views=1,
        dwell_ms=1_500,
        impressions=2,
        boosted=1,
        spent_micros=300_000,
        published_ms=round(event().at.timestamp() * 1_000),
    )
