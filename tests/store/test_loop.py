from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from reward_llm.domain.admission import Admission
from reward_llm.domain.goal import Window
from reward_llm.domain.loop import LoopKind, LoopRecord
from reward_llm.errors import ControllerNotReady
from reward_llm.store import SqlStore
from reward_llm.store.audit_log import SqlAuditLog
from reward_llm.store.database import Database
from reward_llm.store.governance import SqlGovernance
from reward_llm.store.loop import SqlLoop
from reward_llm.validation import gate
from tests.contracts.loop import ANN, BOB, FEED, NEW_USERS, PLAN, LoopStoreContract, planned
from tests.strategies import HOME_FEED

RULES = Admission(scenario=HOME_FEED, gate=gate.check)


@pytest.fixture
async def loop_store(url: str) -> AsyncIterator[SqlLoop]:
    database = Database.open(url)
    yield SqlLoop(database)
    await database.aclose()


class TestSqlLoop(LoopStoreContract):
    pass


async def test_a_record_comes_over_the_policy_that_holds_for_everybody_and_no_other(
    url: str, loop_store: SqlLoop
) -> None:
    database = Database.open(url)
    governance, store = SqlGovernance(database), SqlStore(database)
    first, second = [await store.record_edit(FEED, HOME_FEED.defaults, ANN) for _ in range(2)]
    made = await planned(loop_store, kind=LoopKind.CONTROLLER)

    async def comes(over: str) -> LoopRecord:
        return await loop_store.change(made, "started", BOB, state="running", document=PLAN, over=over)

    with pytest.raises(ControllerNotReady, match="nothing holds in home_feed"):
        await comes(first.policy_id)
    await governance.activate(first.policy_id, Window(), ANN, RULES)
    with pytest.raises(ControllerNotReady, match=f"{first.policy_id} holds"):
        await comes(second.policy_id)
    with pytest.raises(ControllerNotReady, match="nothing holds"):
        await loop_store.create(LoopKind.CONTROLLER, NEW_USERS, "running", PLAN, ANN, over=first.policy_id)
    tried = await governance.activate(second.policy_id, Window(), ANN, RULES, percent=10)
    with pytest.raises(ControllerNotReady, match="for a part of the units"):
        await comes(second.policy_id)
    await governance.end_activation(tried.sequence, BOB, RULES)
    assert (await comes(first.policy_id)).state == "running"
    await database.aclose()


async def test_what_is_decided_is_on_record_and_what_is_gathered_is_not(url: str, loop_store: SqlLoop) -> None:
    made = await planned(loop_store, NEW_USERS, LoopKind.CONTROLLER)
    await loop_store.change(made, "paused", BOB, state="paused", document=PLAN)
    await loop_store.gather(made.id, [{"measured": 0.1}], ANN)
    database = Database.open(url)
    verification = await SqlAuditLog(database).stretch(1, 10)
    await database.aclose()
    assert [(r.action, r.actor, r.subject, r.chain) for r in verification if r.subject == made.id] == [
        ("controller.created", "ann", made.id, "home_feed"),
        ("controller.paused", "bob", made.id, "home_feed"),
    ]
