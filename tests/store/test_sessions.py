from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from reward_llm.domain.act import Act
from reward_llm.domain.session import Identity, Session, fingerprint
from reward_llm.errors import StoreUnavailable
from reward_llm.store import SqlStore, downgrade
from reward_llm.store.database import Database
from reward_llm.store.sessions import SqlSessions
from reward_llm.store.state import state_document
from reward_llm.store.tables import audit, sessions

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
ANN = Identity(issuer="https://id.example", subject="248289", name="ann@shop.example", groups=("ads", "客服"))
ACT = Act(actor=ANN.name, at=NOON, address="203.0.113.7", request_id="r1")


def session(number: int = 1, hours: float = 12) -> Session:
    end = NOON + timedelta(hours=hours)
    return Session(id=f"session_{number}", identity=ANN, signed_in_at=NOON, expires_at=end)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database.open(url)
    yield database
    await database.aclose()


@pytest.fixture
def kept(database: Database) -> SqlSessions:
    return SqlSessions(database)


async def test_a_session_is_found_by_its_secret(kept: SqlSessions) -> None:
    await kept.start(session(), fingerprint("s"), ACT)
    assert await kept.find(fingerprint("s"), NOON) == session()
    assert await kept.find(fingerprint("t"), NOON) is None
    assert await kept.find("s", NOON) is None


async def test_a_session_is_over_when_it_expires(kept: SqlSessions) -> None:
    await kept.start(session(hours=1), fingerprint("s"), ACT)
    assert await kept.find(fingerprint("s"), NOON + timedelta(minutes=59, seconds=59)) == session(hours=1)
    assert await kept.find(fingerprint("s"), NOON + timedelta(hours=1)) is None


async def test_a_session_ends_once(kept: SqlSessions) -> None:
    await kept.start(session(), fingerprint("s"), ACT)
    assert await kept.end("session_1", ACT)
    assert await kept.find(fingerprint("s"), NOON) is None
    assert not await kept.end("session_1", ACT)
    assert not await kept.end("session_2", ACT)


async def test_starting_and_ending_are_on_record_without_the_secret(kept: SqlSessions, database: Database) -> None:
    await kept.start(session(), fingerprint("s"), ACT)
    await kept.end("session_1", ACT)
    await kept.end("session_1", ACT)
    async with database.reading() as connection:
        records = (await connection.execute(select(audit).order_by(audit.c.sequence))).mappings().all()
    assert [(r["action"], r["subject"], r["actor"]) for r in records] == [
        ("session.started", "session_1", ANN.name),
        ("session.ended", "session_1", ANN.name),
    ]
    assert fingerprint("s") not in str([dict(r) for r in records])


async def test_sessions_are_no_state_that_the_log_has_to_make_again(kept: SqlSessions, database: Database) -> None:
    await kept.start(session(), fingerprint("s"), ACT)
    async with database.reading() as connection:
        assert "sessions" not in await state_document(connection)


async def test_expired_sessions_are_forgotten_when_somebody_signs_in(kept: SqlSessions, database: Database) -> None:
    await kept.start(session(1, hours=1), fingerprint("s"), ACT)
    await kept.start(session(2, hours=9), fingerprint("t"), ACT)
    later = Act(actor=ANN.name, at=NOON + timedelta(hours=2))
    await kept.start(session(3), fingerprint("u"), later)
    async with database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(sessions)) == 2
    assert await kept.find(fingerprint("t"), later.at) == session(2, hours=9)


async def test_without_its_table_the_store_is_unavailable(url: str, kept: SqlSessions) -> None:
    await downgrade(url, "0007")
    with pytest.raises(StoreUnavailable):
        await kept.find(fingerprint("s"), NOON)
    with pytest.raises(StoreUnavailable):
        await kept.start(session(), fingerprint("s"), ACT)
    store = SqlStore.open(url)
    await store.ping()
    await store.aclose()
