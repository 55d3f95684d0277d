"""Signing in: by a token, by the identity provider, and what somebody may then see and do."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from reward_llm.api import ApiConfig
from reward_llm.api.edge.config import EdgeConfig
from reward_llm.api.sign_in.config import SignInConfig
from reward_llm.console import ConsoleConfig
from reward_llm.domain.access import AccessMode, Grant, Role
from reward_llm.store.access import SqlAccess
from reward_llm.store.database import Database
from tests.api.callers import Office
from tests.api.harness import Setup
from tests.console.harness import Console, console
from tests.identity_provider import Provider, provider

CLOSED = ConsoleConfig(is_open=False)
TOKENS = ApiConfig(access=AccessMode.TOKENS)
EDITOR, VIEWER = Grant(role=Role.EDITOR), Grant(role=Role.VIEWER)
HERE = "http://localhost:8300"
ROLES = {"reco-editors": (EDITOR,)}
WITH_PROVIDER = ConsoleConfig(is_open=False, has_provider=True)


@pytest.fixture
async def closed(setup: Setup) -> AsyncIterator[Console]:
    """The pages where who asks has to prove who they are."""
    async with console(setup, CLOSED, config=TOKENS) as running:
        yield running


@pytest.fixture
async def office(closed: Console, setup: Setup) -> AsyncIterator[Office]:
    database = Database.open(setup.url)
    yield Office(desk=closed.desk, access=SqlAccess(database))
    await database.aclose()


@pytest.fixture(scope="module")
def people() -> Iterator[Provider]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with provider(port) as running:
        running.knows("ann", email="ann@shop.example", email_verified=True, groups=["reco-editors"])
        yield running


async def test_somebody_signs_in_with_a_token_and_out_again(closed: Console, office: Office) -> None:
    browser = await closed.with_token((await office.token(EDITOR, name="ann")).text)
    page = await browser.see("/me")
    assert "ann" in page.text
    assert "Editor" in page.text
    page = await browser.send(page, "/sign-out")
    assert page.path.startswith("/sign-in")
    assert "You are signed out" in page.text
    assert (await browser.see("/goals")).path.startswith("/sign-in?to=%2Fgoals")


async def test_after_signing_in_one_is_where_one_wanted_to_go(closed: Console, office: Office) -> None:
    browser = await closed.browser(None)
    page = await browser.see("/goals/new")
    assert "Please sign in" in page.text
    page = await browser.send(page, "/sign-in", token=(await office.token(EDITOR)).text)
    assert page.path == "/goals/new"


@pytest.mark.parametrize("token", ["rlm_k3v7q2ma_" + "0" * 64, "garbage", "令牌"])
async def test_a_token_that_doesnt_hold_lets_nobody_in(closed: Console, token: str) -> None:
    browser = await closed.browser(None)
    page = await browser.send(await browser.see("/sign-in"), "/sign-in", token=token)
    assert page.status == 401
    assert token not in page.html
    assert (await browser.see("/")).path.startswith("/sign-in")


async def test_what_one_may_not_do_isnt_shown_and_is_refused_all_the_same(closed: Console, office: Office) -> None:
    browser = await closed.with_token((await office.token(VIEWER, name="vic")).text)
    assert "/goals/new" not in (await browser.see("/goals")).links
    page = await browser.see("/goals/new")
    assert "not submit goals" in page.text
    secret = browser.http.cookies["reward_llm_csrf"]
    sent = {"csrf": secret, "text": "Raise GMV", "scope": "home_feed"}
    response = await browser.http.post("/goals", data=sent)
    assert response.status_code == 403
    assert "You may not do that" in response.text


async def test_who_holds_no_role_is_told_whom_to_ask(setup: Setup, people: Provider) -> None:
    people.knows("carl", email="carl@shop.example", email_verified=True)
    async with signed_in(setup, people, "carl") as http:
        assert "holds no role" in (await http.get("/")).text


async def test_a_token_that_runs_out_keeps_what_was_written(closed: Console, office: Office) -> None:
    browser = await closed.with_token((await office.token(EDITOR, days=1)).text)
    new = await browser.see("/goals/new")
    closed.desk.clock.advance(timedelta(days=2).total_seconds())
    page = await browser.send(new, "/goals", text="Raise GMV by 5%")
    assert page.status == 401
    assert "What you wrote is still here" in page.text
    again = await office.token(EDITOR, name="ann-again")
    await browser.send(await browser.see("/sign-in"), "/sign-in", token=again.text)
    page = await browser.send(page, "/goals")
    assert page.path.startswith("/goals/goal_")


async def test_somebody_signs_in_with_the_identity_provider(setup: Setup, people: Provider) -> None:
    async with signed_in(setup, people, "ann") as http:
        page = await http.get("/me")
        assert "ann@shop.example" in page.text
        assert "Signed in until" in page.text
        sent = {"csrf": http.cookies["reward_llm_csrf"], "text": "Raise GMV by 5%", "scope": "home_feed"}
        same_site = {"Sec-Fetch-Site": "same-origin"}
        assert (await http.post("/goals", data=sent, headers=same_site)).status_code == 303
        assert (await http.post("/sign-out", data=sent, headers=same_site)).status_code == 303
        assert "reward_llm_session" not in http.cookies
        assert (await http.get("/me")).headers["location"].startswith("/sign-in")


@asynccontextmanager
async def signed_in(setup: Setup, people: Provider, subject: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that came to the pages through the identity provider."""
    setup.clock.now = datetime.now(UTC)
    sign_in = SignInConfig(
        issuer=people.url, client_id="reward-llm", client_secret="s:e c%ret", public_url=HERE, roles=ROLES
    )
    config = ApiConfig(access=AccessMode.TOKENS, edge=EdgeConfig(public_url=HERE))
    async with console(setup, WITH_PROVIDER, config=config, sign_in=sign_in, base_url=HERE) as running:
        http = running.desk.client
        assert "/sign-in/provider?to=/me" in (await http.get("/sign-in?to=/me")).text
        begun = await http.get("/sign-in/provider?to=/me")
        onward = await http.get(begun.headers["location"])
        back = await http.get(people.signs_in(onward.headers["location"], subject))
        assert back.headers["location"] == "/me"
        yield http
