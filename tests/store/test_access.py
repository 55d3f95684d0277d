from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from reward_llm.domain.access import Grant, Role
from reward_llm.domain.act import Act
from reward_llm.domain.tokens import NewToken, TokenState, mint, token_hash
from reward_llm.errors import StoreUnavailable, TokenNameTaken, TokenUnknown
from reward_llm.store.access import SqlAccess
from reward_llm.store.database import Database
from reward_llm.store.state import state_document
from reward_llm.store.tables import audit, token_uses, tokens

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
GRANTS = (Grant(role=Role.EDITOR, scenario="home_feed"), Grant(role=Role.VIEWER))
LATER = NOON + timedelta(hours=1)


def by(actor: str = "ann", at: datetime = NOON) -> Act:
    return Act(actor=actor, at=at, reason="for the nightly job")


def minted(name: str = "ci", at: datetime = NOON) -> NewToken:
    return mint(name, GRANTS, by="ann", now=at, random_bytes=os.urandom)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database.open(url)
    yield database
    await database.aclose()


@pytest.fixture
def access(database: Database) -> SqlAccess:
    return SqlAccess(database)


async def created(access: SqlAccess, name: str = "ci", at: datetime = NOON) -> NewToken:
    new = minted(name, at)
    await access.create_token(new.token, token_hash(new.text), by(at=at))
    return new


async def records(database: Database) -> list[tuple[str, str, str]]:
    async with database.reading() as connection:
        rows = await connection.execute(select(audit).order_by(audit.c.sequence))
        return [(r.action, r.actor, r.subject) for r in rows]


async def test_a_token_is_found_by_its_id_and_by_its_text(access: SqlAccess) -> None:
    new = await created(access)
    assert await access.token(new.token.id) == new.token
    assert await access.token_by_hash(new.token.id, token_hash(new.text)) == new.token


async def test_a_text_with_another_secret_is_no_token(access: SqlAccess) -> None:
    new = await created(access)
    other = new.text[:-1] + ("0" if new.text[-1] != "0" else "1")
    assert await access.token_by_hash(new.token.id, token_hash(other)) is None
    assert await access.token_by_hash("aaaaaaaa", token_hash(new.text)) is None
    with pytest.raises(TokenUnknown):
        await access.token("aaaaaaaa")


async def test_a_revoked_token_stays_so_and_is_revoked_once(access: SqlAccess, database: Database) -> None:
    new = await created(access)
    revoked = await access.revoke_token(new.token.id, by("bob", LATER))
    assert (revoked.state(LATER), revoked.revoked_at) == (TokenState.REVOKED, LATER)
    again = await access.revoke_token(new.token.id, by("cem", LATER + timedelta(hours=1)))
    assert again == revoked == await access.token_by_hash(new.token.id, token_hash(new.text))
    assert await records(database) == [
        ("token.created", "ann", new.token.id),
        ("token.revoked", "bob", new.token.id),
    ]
    with pytest.raises(TokenUnknown):
        await access.revoke_token("aaaaaaaa", by())


async def test_two_live_tokens_never_have_the_same_name(access: SqlAccess, database: Database) -> None:
    first = await created(access)
    with pytest.raises(TokenNameTaken):
        await created(access)
    assert len(await records(database)) == 1
    await access.revoke_token(first.token.id, by())
    await created(access)


async def test_a_name_is_free_again_once_its_token_is_over(access: SqlAccess) -> None:
    first = await created(access)
    await created(access, at=first.token.expires_at)


async def test_tokens_are_listed_newest_first_with_or_without_those_that_ended(access: SqlAccess) -> None:
    old, revoked, newest = await created(access, "a"), await created(access, "b"), await created(access, "c")
    await access.revoke_token(revoked.token.id, by())
    live = await access.tokens(live_at=NOON)
    assert [t.name for t in live] == ["c", "a"]
    assert [t.name for t in await access.tokens()] == ["c", "b", "a"]
    assert await access.tokens(live_at=newest.token.expires_at) == []
    assert live[1] == old.token


async def test_the_last_use_is_known_to_the_minute_and_is_not_on_record(
    access: SqlAccess, database: Database
) -> None:
    new = await created(access)
    for seconds, known in ((0, 0), (59, 0), (60, 60), (30, 60)):
        await access.note_use(new.token.id, NOON + timedelta(seconds=seconds))
        assert (await access.token(new.token.id)).last_used_at == NOON + timedelta(seconds=known)
    assert len(await records(database)) == 1
    async with database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(token_uses)) == 1
        assert "token_uses" not in await state_document(connection)


async def test_neither_secret_nor_hash_is_in_the_log_or_in_the_state(access: SqlAccess, database: Database) -> None:
    new = await created(access)
    await access.revoke_token(new.token.id, by())
    secret = new.text.rpartition("_")[2]
    async with database.reading() as connection:
        document = await state_document(connection)
        details = [dict(r) for r in (await connection.execute(select(audit))).mappings()]
        kept = await connection.scalar(select(tokens.c.hash))
    assert kept == token_hash(new.text)
    written = json.dumps([document, details], default=str)
    assert document["tokens"][new.token.id]["name"] == "ci"
    assert secret not in written
    assert token_hash(new.text) not in written
    assert "for the nightly job" in written


async def test_a_database_that_is_behind_is_unavailable(empty_url: str) -> None:
    database = Database.open(empty_url)
    try:
        with pytest.raises(StoreUnavailable):
            await SqlAccess(database).tokens()
    finally:
        await database.aclose()
