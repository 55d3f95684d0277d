from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from reward_llm.api.access.bearer import BearerConfig
from reward_llm.domain.access import Grant, Role
from reward_llm.domain.act import Act
from reward_llm.domain.tokens import NewToken
from reward_llm.errors import StoreUnavailable
from tests.api.callers import ADMIN, Office, office
from tests.api.harness import Setup, assert_problem

CONFIG = BearerConfig()
WEIGHTS = "/v1/weights/home_feed"
VIEWER = Grant(role=Role.VIEWER)


@pytest.fixture
async def at(setup: Setup) -> AsyncIterator[Office]:
    async with office(setup) as opened:
        yield opened


async def status(at: Office, token: NewToken) -> int:
    return (await at.ask("GET", WEIGHTS, token)).status_code


async def revoke(at: Office, token: NewToken) -> None:
    await at.access.revoke_token(token.token.id, Act(actor="root", at=at.desk.clock()))


async def last_use(at: Office, token: NewToken) -> object:
    for _ in range(100):
        if used := (await at.access.token(token.token.id)).last_used_at:
            return used
        await asyncio.sleep(0.05)
    return None


async def test_a_token_is_taken_however_its_scheme_is_written(at: Office) -> None:
    token = await at.token(VIEWER)
    for header in (f"Bearer {token.text}", f"bearer {token.text}", f"BEARER  {token.text}"):
        assert (await at.ask("GET", WEIGHTS, headers={"Authorization": header})).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YW5uOnB3", "{token}", "Token {token}"])
async def test_other_credentials_are_refused_and_not_shown_back(at: Office, header: str) -> None:
    token = await at.token(VIEWER)
    sent = header.format(token=token.text)
    refused = await at.ask("GET", WEIGHTS, headers={"Authorization": sent})
    assert_problem(refused, 401, "unauthenticated")
    assert token.text not in refused.text


async def test_a_revocation_takes_effect_within_the_time_that_is_named(at: Office) -> None:
    token = await at.token(VIEWER)
    assert await status(at, token) == 200
    await revoke(at, token)
    at.desk.clock.advance(CONFIG.fresh_s)
    assert await status(at, token) == 401


async def test_a_token_that_was_seen_expires_to_the_moment(at: Office) -> None:
    token = await at.token(VIEWER, days=1)
    assert await status(at, token) == 200
    at.desk.clock.advance(24 * 3_600 - CONFIG.fresh_s / 2)
    assert await status(at, token) == 200
    at.desk.clock.advance(CONFIG.fresh_s / 2)
    refused = await at.ask("GET", WEIGHTS, token)
    assert assert_problem(refused, 401, "unauthenticated")["detail"] == "the token 'ann' is expired"


async def test_weights_are_served_to_known_tokens_while_the_database_is_away(at: Office, setup: Setup) -> None:
    known, unknown = await at.token(VIEWER, name="known"), await at.token(VIEWER, name="unknown")
    assert await status(at, known) == 200
    setup.take_the_store_away()
    for _ in range(3):
        at.desk.clock.advance(CONFIG.fresh_s)
        assert await status(at, known) == 200
    assert_problem(await at.ask("GET", WEIGHTS, unknown), 503, "store_unavailable")
    at.desk.clock.advance(CONFIG.known_s)
    assert await status(at, known) == 503
    setup.bring_the_store_back()
    assert await status(at, known) == 200
    assert await status(at, unknown) == 200


async def test_a_token_that_was_revoked_before_the_database_went_away_stays_revoked(at: Office, setup: Setup) -> None:
    token = await at.token(VIEWER)
    await revoke(at, token)
    assert await status(at, token) == 401
    setup.take_the_store_away()
    at.desk.clock.advance(CONFIG.fresh_s)
    assert await status(at, token) == 401


async def test_a_clock_that_was_set_back_makes_no_token_known_for_longer(at: Office) -> None:
    token = await at.token(VIEWER)
    assert await status(at, token) == 200
    await revoke(at, token)
    at.desk.clock.advance(-3_600)
    assert await status(at, token) == 401


async def test_the_database_is_not_asked_about_a_token_again_and_again(
    at: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, asked = await at.token(VIEWER), []
    store = at.desk.app.state.context.services.tokens
    real = store.token_by_hash

    async def counted(token_id: str, text_hash: str) -> object:
        asked.append(token_id)
        return await real(token_id, text_hash)

    monkeypatch.setattr(store, "token_by_hash", counted)
    for _ in range(20):
        assert await status(at, token) == 200
    assert asked == [token.token.id]


async def test_a_database_that_hangs_keeps_one_caller_waiting_and_no_other(
    at: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await at.token(VIEWER)
    assert await status(at, token) == 200
    hanging = asyncio.Event()

    async def hang(token_id: str, text_hash: str) -> None:
        hanging.set()
        await asyncio.sleep(60)

    monkeypatch.setattr(at.desk.app.state.context.services.tokens, "token_by_hash", hang)
    at.desk.clock.advance(CONFIG.fresh_s)
    first = asyncio.create_task(status(at, token))
    await hanging.wait()
    assert await status(at, token) == 200
    assert not first.done()
    assert await first == 200


async def test_the_last_use_is_remembered_without_a_record(at: Office) -> None:
    token, root = await at.token(VIEWER), await at.token(ADMIN, name="root")
    assert await status(at, token) == 200
    first = await last_use(at, token)
    assert first is not None
    at.desk.clock.advance(CONFIG.use_every_s / 2)
    assert await status(at, token) == 200
    assert await last_use(at, token) == first
    records = (await at.ask("GET", "/v1/audit", root)).json()["items"]
    assert {r["action"] for r in records} <= {"token.created", "store.upgraded"}


async def test_a_use_that_cannot_be_noted_keeps_nobody_out(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(token_id: str, at: object) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(at.desk.app.state.context.services.tokens, "note_use", refuse)
    assert await status(at, await at.token(VIEWER)) == 200


async def test_a_stranger_isnt_told_what_ails_the_database(at: Office, setup: Setup) -> None:
    token = await at.token(VIEWER)
    setup.take_the_store_away()
    for path in (WEIGHTS, "/v1/me"):
        problem = assert_problem(await at.ask("GET", path, token), 503, "store_unavailable")
        assert "table" not in str(problem)
