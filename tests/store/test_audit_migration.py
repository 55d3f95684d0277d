from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, Table, insert, text

from reward_llm.domain.audit import AuditRecord
from reward_llm.domain.audit_flaws import FlawKind, Verification
from reward_llm.store import SqlStore, downgrade, upgrade
from reward_llm.store.audit_log import SqlAuditLog
from reward_llm.store.database import Database
from reward_llm.store.engine import writing_engine
from tests.contracts.store import CLICKS, FEED, NOON, goal, proposal
from tests.store.test_migrations import ANN, in_utc, run

HOSTILE = {"reason": "618", "half": "\ud83d", "zero": "\0", "much": 2**70, "little": 1e-9, "large": 1e17}

GUARDS = {
    "sqlite": (
        "DROP TRIGGER audit_refuses_DELETE",
        "CREATE TRIGGER audit_refuses_DELETE BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    ),
    "postgresql": ("ALTER TABLE audit DISABLE TRIGGER USER", "ALTER TABLE audit ENABLE TRIGGER USER"),
}


@pytest.fixture
def url(empty_url: str) -> str:
    return empty_url


async def log_of(url: str) -> tuple[list[AuditRecord], Verification]:
    database = Database.open(url)
    log = SqlAuditLog(database)
    head = await log.head()
    records: list[AuditRecord] = []
    while len(records) < head.sequence:
        records += await log.stretch(len(records) + 1, head.sequence)
    found = await log.verification()
    await database.aclose()
    return records, found


async def write(url: str, *goals: str) -> None:
    store = SqlStore.open(url)
    for name in goals:
        await store.record_goal(goal(name))
        await store.record_proposal(name, proposal(), NOON)
    await store.record_edit(FEED, CLICKS, act=ANN)
    await store.aclose()


def old_records(count: int) -> Any:
    def fill(connection: Connection) -> None:
        table = Table("audit", MetaData(), autoload_with=connection)
        row = {"at": NOON, "actor": "ann", "action": "goal.received", "subject": "goal_1", "details": HOSTILE}
        for number in range(count):
            values = {**row, "sequence": number + 1, "subject": ("goal_1", "", "pol_9")[number % 3]}
            connection.execute(insert(table).values({k: in_utc(v) for k, v in values.items()}))

    return fill


async def older(url: str, *, records: int) -> None:
    """The database as an older version left it: with a goal, and so many audit records."""
    await upgrade(url)
    await write(url, "goal_1")
    await downgrade(url, "0002")

    def clear(connection: Connection) -> None:
        unguard, guard = GUARDS[connection.dialect.name]
        for statement in (unguard, "DELETE FROM audit", guard):
            connection.execute(text(statement))

    await run(writing_engine(url), clear)
    await run(writing_engine(url), old_records(records))


async def test_records_from_before_join_the_chains_and_what_is_there_goes_on_record(url: str) -> None:
    await older(url, records=3)
    await upgrade(url)
    records, found = await log_of(url)
    assert found.intact
    assert found.compared
    assert [(r.chain, r.position) for r in records[:3]] == [("home_feed", 1), ("", 1), ("", 2)]
    assert records[0].reason == "618"
    assert records[0].details == HOSTILE
    assert {r.action for r in records[3:]} == {"store.upgraded"}
    assert "/goals/goal_1" in {o["path"] for r in records[3:] for o in r.patch}


async def test_many_records_are_chained_in_batches(url: str) -> None:
    await older(url, records=1_203)
    await upgrade(url)
    records, found = await log_of(url)
    assert found.intact
    assert len({r.hash for r in records}) == len(records) >= 1_203


async def test_the_log_goes_on_after_an_upgrade(url: str) -> None:
    await older(url, records=2)
    await upgrade(url)
    await write(url, "goal_2")
    records, found = await log_of(url)
    assert found.intact
    assert [r.sequence for r in records] == [*range(1, len(records) + 1)]


@pytest.mark.parametrize("target", ["0003", "0004", "0005", "0006", "0007"])
async def test_the_log_replays_to_the_store_after_every_way_down_and_up(url: str, target: str) -> None:
    await upgrade(url)
    await write(url, "goal_1")
    await downgrade(url, target)
    await upgrade(url)
    await write(url, "goal_2")
    _, found = await log_of(url)
    assert found.flaw is None
    assert found.compared


async def test_an_upgrade_with_nothing_to_do_leaves_no_record(url: str) -> None:
    await upgrade(url)
    await write(url, "goal_1")
    before, _ = await log_of(url)
    await upgrade(url)
    after, _ = await log_of(url)
    assert after == before
    assert "store.upgraded" not in {r.action for r in after}


async def test_an_upgrade_does_not_cover_up_what_was_written_past_the_log(url: str) -> None:
    await upgrade(url)
    await write(url, "goal_1")
    await downgrade(url, "0003")
    await run(writing_engine(url), lambda c: c.execute(text("UPDATE goals SET submitted_by = 'eve'")))
    await upgrade(url)
    _, found = await log_of(url)
    assert found.flaw is not None
    assert found.flaw.kind in {FlawKind.STATE_DIFFERS, FlawKind.PATCH_REFUSED}
