from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reward_llm.domain.act import Act
from reward_llm.domain.audit import changes_of
from reward_llm.domain.goal import Window
from reward_llm.domain.ports import AuditQuery
from reward_llm.domain.replay import State, apply
from reward_llm.domain.scenario import Scope
from reward_llm.errors import RewardLLMError
from reward_llm.store import SqlStore, upgrade
from reward_llm.store.audit_log import SqlAuditLog
from reward_llm.store.database import Database
from reward_llm.store.governance import SqlGovernance
from reward_llm.store.state import state_document
from tests.contracts.governance.acts import FREE, weights
from tests.contracts.store import CLICKS, EVEN, FEED, NEW_USERS, NOON, goal, no_change, proposal

SCOPES = (FEED, NEW_USERS, Scope("video_feed"))


@dataclass(slots=True)
class Desk:
    """Stores on one database, and what was written through them."""

    database: Database
    numbers: itertools.count[int]
    goals: list[str] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)

    @property
    def store(self) -> SqlStore:
        return SqlStore(self.database)

    @property
    def governance(self) -> SqlGovernance:
        return SqlGovernance(self.database)

    def act(self) -> Act:
        number = next(self.numbers)
        at = NOON + timedelta(microseconds=number)
        return Act(actor=f"ann{number % 3}", at=at, reason="原因", address="::1", request_id=f"r{number}")


Write = Callable[[Desk, st.DataObject], Awaitable[object]]


async def submit(desk: Desk, data: st.DataObject) -> None:
    name = f"goal_{next(desk.numbers)}"
    moments = st.none() | st.datetimes(datetime(1000, 1, 1), timezones=st.just(UTC))
    window = Window(valid_from=data.draw(moments))
    await desk.store.record_goal(goal(name, data.draw(st.sampled_from(SCOPES)), window=window))
    desk.goals.append(name)


async def settle(desk: Desk, data: st.DataObject) -> None:
    answer = data.draw(st.sampled_from([proposal(), proposal(EVEN), no_change()]))
    record = await desk.store.record_proposal(data.draw(st.sampled_from(desk.goals or ["none"])), answer, NOON)
    desk.policies += [record.policy.policy_id] if record.policy else []


async def edit(desk: Desk, data: st.DataObject) -> None:
    made = weights(data.draw(st.sampled_from([0.2, 0.25, 0.3])))
    policy = await desk.store.record_edit(data.draw(st.sampled_from(SCOPES)), made, desk.act())
    desk.policies.append(policy.policy_id)


async def refuse(desk: Desk, data: st.DataObject) -> None:
    numbers = st.integers() | st.floats()
    details = {"number": data.draw(numbers), "text": data.draw(st.text(st.characters(), max_size=4))}
    await desk.store.record_refusal(desk.act(), "goal.refused", details)


async def activate(desk: Desk, data: st.DataObject) -> None:
    policy = data.draw(st.sampled_from(desk.policies or ["none"]))
    await desk.governance.activate(policy, Window(), desk.act(), FREE, percent=data.draw(st.sampled_from([1, 100])))


async def withdraw(desk: Desk, data: st.DataObject) -> None:
    policy = data.draw(st.sampled_from(desk.policies or ["none"]))
    await desk.governance.withdraw(policy, desk.act(), anybodys=True)


async def end(desk: Desk, data: st.DataObject) -> None:
    await desk.governance.end_activation(data.draw(st.integers(1, 5)), desk.act(), FREE)


async def freeze(desk: Desk, data: st.DataObject) -> None:
    scope, frozen = data.draw(st.sampled_from(SCOPES)), data.draw(st.booleans())
    await desk.governance.freeze(scope, desk.act(), frozen=frozen)


WRITES: tuple[Write, ...] = (submit, settle, edit, refuse, activate, withdraw, end, freeze)


async def work(url: str, numbers: itertools.count[int], writes: list[Write], data: st.DataObject) -> None:
    database = Database.open(url)
    desk = Desk(database, numbers)
    log = SqlAuditLog(database)
    try:
        for write in writes:
            with suppress(RewardLLMError):
                await write(desk, data)
        head = await log.head()
        state: State = {}
        for first in range(1, head.sequence + 1, 200):
            for record in await log.stretch(first, first + 199):
                apply(state, record.patch)
        async with database.reading() as connection:
            held = await state_document(connection)
        assert {t: rows for t, rows in held.items() if rows} == {t: rows for t, rows in state.items() if rows}
        found = await log.verification()
        assert (found.flaw, found.compared, found.head) == (None, True, head)
    finally:
        await database.aclose()


def test_replaying_the_log_rebuilds_the_store(empty_url: str) -> None:
    """Each example goes on where the one before ended."""
    asyncio.run(upgrade(empty_url))
    numbers = itertools.count()

    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.sampled_from(WRITES), max_size=12), st.data())
    def replaying(writes: list[Write], data: st.DataObject) -> None:
        asyncio.run(work(empty_url, numbers, writes, data))

    replaying()


async def test_a_record_says_who_when_what_why_from_where_and_with_which_request(url: str) -> None:
    database = Database.open(url)
    store, log = SqlStore(database), SqlAuditLog(database)
    act = Act(actor="ann", at=NOON, reason="618", address="192.0.2.7", request_id="req-1")
    await store.record_goal(goal(), act=act)
    await store.record_proposal("goal_1", proposal(), NOON)
    settled, received = (await log.records(AuditQuery(subject="goal_1"))).items
    assert (received.actor, received.at, received.action) == ("ann", NOON, "goal.received")
    assert (received.reason, received.address, received.request_id) == ("618", "192.0.2.7", "req-1")
    assert received.details == {}
    assert received.chain == "home_feed"
    changes = {c.path: (c.before, c.after) for c in changes_of(settled.patch)}
    assert changes["/goals/goal_1/state"] == ("received", "proposed")
    assert changes["/proposals/goal_1"][1]["weights"] == dict(CLICKS)
    await database.aclose()
