from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from reward_llm.domain.loop import LoopKind
from reward_llm.store.audit_log import SqlAuditLog
from reward_llm.store.database import Database
from reward_llm.store.loop import SqlLoop
from tests.contracts.loop import ANN, BOB, NEW_USERS, PLAN, LoopStoreContract, planned


@pytest.fixture
async def loop_store(url: str) -> AsyncIterator[SqlLoop]:
    database = Database.open(url)
    yield SqlLoop(database)
    await database.aclose()


class TestSqlLoop(LoopStoreContract):
    pass


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
