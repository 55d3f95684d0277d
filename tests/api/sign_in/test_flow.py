"""The whole flow against a real OpenID provider, in a process of its own."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from reward_llm.api import ApiConfig
from reward_llm.api.edge.config import EdgeConfig
from reward_llm.api.sign_in.config import SignInConfig
from reward_llm.domain.access import AccessMode, Grant, Role
from tests.api.harness import EDIT, GOAL, Desk, Setup, assert_problem
from tests.identity_provider import Provider, provider

HERE = "http://localhost:8300"
SAME_SITE = {"Origin": HERE}
ROLES = {
    "reco-editors": (Grant(role=Role.EDITOR),),
    "ads": (Grant(role=Role.SUBMITTER, scenario="video_feed"),),
}
ANN = {"email": "ann@shop.example", "email_verified": True, "groups": ["reco-editors", "lunch"]}


@pytest.fixture(scope="module")
def running_provider() -> Iterator[Provider]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with provider(port) as running:
        yield running


@pytest.fixture
def people(running_provider: Provider) -> Provider:
    running_provider.lies()
    running_provider.knows("ann", **ANN)
    running_provider.knows("bob", email="bob@shop.example", email_verified=True, groups=["ads"])
    return running_provider


def config_of(people: Provider, **changes: Any) -> SignInConfig:
    config = SignInConfig(
        issuer=people.url, client_id="reward-llm", client_secret="s:e c%ret", public_url=HERE, roles=ROLES
    )
    return replace(config, **changes)


@asynccontextmanager
async def service(setup: Setup, people: Provider, public_url: str = HERE, **changes: Any) -> AsyncIterator[Desk]:
    setup.clock.now = datetime.now(UTC)
    config = ApiConfig(access=AccessMode.TOKENS, edge=EdgeConfig(public_url=public_url))
    sign_in = config_of(people, public_url=public_url, **changes)
    async with setup.start(config=config, sign_in=sign_in, base_url=public_url) as desk:
        yield desk


@pytest.fixture
async def desk(setup: Setup, people: Provider) -> AsyncIterator[Desk]:
    async with service(setup, people) as desk:
        yield desk


def rename(setup: Setup, before: str, after: str) -> None:
    with sqlite3.connect(setup.path, isolation_level=None) as connection:
        connection.execute(f"ALTER TABLE {before} RENAME TO {after}")
    connection.close()


async def begin(desk: Desk, to: str = "/v1/me") -> str:
    response = await desk.client.get("/v1/sign-in", params={"to": to})
    assert response.status_code == 303, response.text
    return response.headers["location"]


async def come_back(desk: Desk, people: Provider, subject: str = "ann", to: str = "/v1/me") -> httpx.Response:
    return await desk.client.get(people.signs_in(await begin(desk, to), subject))


async def sign_in(desk: Desk, people: Provider, subject: str = "ann") -> None:
    response = await come_back(desk, people, subject)
    assert response.status_code == 303, response.text


async def test_a_person_signs_in_and_is_who_the_provider_says(desk: Desk, people: Provider) -> None:
    response = await come_back(desk, people, to="/v1/me?from=console")
    assert (response.status_code, response.headers["location"]) == (303, "/v1/me?from=console")
    me = (await desk.client.get("/v1/me")).json()
    assert (me["name"], me["kind"], me["access"]) == ("ann@shop.example", "person", "tokens")
    assert me["grants"] == [{"role": "editor", "scenario": None}]
    assert [p["permission"] for p in me["permissions"]] == ["read", "audit", "submit", "edit"]
    assert datetime.fromisoformat(me["signed_in_until"]) > desk.clock.now


async def test_nobody_is_anybody_without_signing_in(desk: Desk) -> None:
    assert_problem(await desk.client.get("/v1/me"), 401, "unauthenticated")
    assert_problem(await desk.client.get("/v1/policies"), 401, "unauthenticated")


async def test_the_name_is_the_actor_of_what_one_does(desk: Desk, people: Provider) -> None:
    await sign_in(desk, people)
    response = await desk.client.post("/v1/policies", json=EDIT, headers={**SAME_SITE, "X-Actor": "eve"})
    assert response.status_code == 201, response.text
    records = (await desk.client.get("/v1/audit")).json()["items"]
    actions = [(r["actor"], r["action"]) for r in records]
    assert actions == [("ann@shop.example", "policy.edited"), ("ann@shop.example", "session.started")]


async def test_roles_hold_in_the_scenarios_of_the_group(desk: Desk, people: Provider) -> None:
    await sign_in(desk, people, "bob")
    me = (await desk.client.get("/v1/me")).json()
    assert me["permissions"] == [{"permission": p, "scenarios": ["video_feed"]} for p in ("read", "audit", "submit")]
    assert_problem(await desk.client.post("/v1/goals", json=GOAL, headers=SAME_SITE), 403, "forbidden")
    assert_problem(await desk.client.get("/v1/weights/home_feed"), 403, "forbidden")
    assert (await desk.client.get("/v1/weights/video_feed")).status_code == 200


async def test_who_is_in_no_group_may_do_nothing(desk: Desk, people: Provider) -> None:
    people.knows("carl", email="carl@shop.example", email_verified=True)
    await sign_in(desk, people, "carl")
    assert (await desk.client.get("/v1/me")).json()["permissions"] == []
    assert_problem(await desk.client.get("/v1/weights/home_feed"), 403, "forbidden")


async def test_signing_out_ends_the_session_and_not_the_cookie_alone(desk: Desk, people: Provider) -> None:
    await sign_in(desk, people)
    kept = {"Cookie": f"reward_llm_session={desk.client.cookies['reward_llm_session']}"}
    assert (await desk.client.get("/v1/me")).status_code == 200
    assert (await desk.client.post("/v1/sign-out", headers=SAME_SITE)).status_code == 204
    assert "reward_llm_session" not in desk.client.cookies
    assert_problem(await desk.client.get("/v1/me", headers=kept), 401, "unauthenticated")
    assert (await desk.client.post("/v1/sign-out", headers={**SAME_SITE, **kept})).status_code == 204
    await sign_in(desk, people)
    assert await desk.actions() == ["session.started", "session.ended", "session.started"]


async def test_a_session_ends_by_itself(desk: Desk, people: Provider) -> None:
    await sign_in(desk, people)
    desk.clock.advance(timedelta(hours=12).total_seconds())
    assert_problem(await desk.client.get("/v1/me"), 401, "unauthenticated")


async def test_every_sign_in_is_a_session_of_its_own(desk: Desk, people: Provider) -> None:
    await sign_in(desk, people)
    first = desk.client.cookies["reward_llm_session"]
    await sign_in(desk, people)
    assert desk.client.cookies["reward_llm_session"] != first


async def test_the_store_holds_no_secret_that_opens_a_session(desk: Desk, people: Provider, setup: Setup) -> None:
    await sign_in(desk, people)
    secret = desk.client.cookies["reward_llm_session"].encode()
    stored = b"".join(p.read_bytes() for p in setup.path.parent.iterdir() if p.is_file())
    assert b"session.started" in stored
    assert secret not in stored


async def test_cookies_are_kept_from_scripts_and_other_sites(desk: Desk, people: Provider) -> None:
    response = await come_back(desk, people)
    session = next(c for c in response.headers.get_list("set-cookie") if "session" in c)
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"} <= set(session.split("; "))
    assert "Secure" not in session


async def test_behind_https_cookies_are_for_https_and_this_host_alone(setup: Setup, people: Provider) -> None:
    async with service(setup, people, "https://feed.example") as desk:
        response = await come_back(desk, people)
        for cookie in response.headers.get_list("set-cookie"):
            assert cookie.startswith("__Host-reward_llm_")
            assert "Secure" in cookie.split("; ")
            assert "Domain" not in cookie
        assert response.headers["strict-transport-security"]
        assert (await desk.client.get("/v1/me")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site", "Origin": HERE},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_session_writes_for_pages_of_this_service_alone(
    desk: Desk, people: Provider, headers: dict[str, str]
) -> None:
    await sign_in(desk, people)
    for path in ("/v1/policies", "/v1/sign-out"):
        response = await desk.client.post(path, json=EDIT, headers=headers)
        assert_problem(response, 403, "cross_site_refused")
    assert (await desk.client.get("/v1/me", headers=headers)).status_code == 200
    assert (await desk.actions()) == ["session.started"]


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_browsers_that_name_the_site_are_believed(desk: Desk, people: Provider, site: str) -> None:
    await sign_in(desk, people)
    response = await desk.client.post("/v1/policies", json=EDIT, headers={"Sec-Fetch-Site": site})
    assert response.status_code == 201


LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "of another sign-in"},
    "no nonce": {"remove": ["nonce"]},
    "another audience": {"aud": "somebody else"},
    "several audiences and no party": {"aud": ["reward-llm", "somebody else"]},
    "another party": {"azp": "somebody else"},
    "another issuer": {"iss": "https://accounts.example"},
    "no subject": {"remove": ["sub"]},
    "expired": {"exp": 1_700_000_000},
    "no expiry": {"remove": ["exp"]},
    "from the future": {"iat": 4_000_000_000},
    "no time": {"remove": ["iat"]},
    "not yet": {"nbf": 4_000_000_000},
    "another's signature": {"signature": "other"},
    "no signature": {"signature": "none"},
    "a signature by a shared secret": {"signature": "secret"},
    "no token at all": {"signature": "broken"},
    "an email that isn't verified": {"email_verified": False},
    "an email that nobody speaks of verifying": {"remove": ["email_verified"]},
    "no name": {"remove": ["email"]},
    "a name that isn't text": {"email": 5},
    "a name that doesn't print": {"email": "ann\n@shop.example"},
    "a name without end": {"email": "a" * 101},
    "a code that isn't accepted": {"status": 400},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
async def test_a_word_that_doesnt_hold_signs_nobody_in(desk: Desk, people: Provider, lie: dict[str, Any]) -> None:
    people.lies(**lie)
    assert_problem(await come_back(desk, people), 401, "sign_in_failed")
    assert "reward_llm_session" not in desk.client.cookies
    people.lies()
    await sign_in(desk, people)
    assert await desk.actions() == ["session.started"]


async def test_a_clock_that_is_a_little_off_is_forgiven(desk: Desk, people: Provider) -> None:
    now = int(desk.clock.now.timestamp())
    people.lies(iat=now + 30, exp=now - 30)
    await sign_in(desk, people)
    people.lies(exp=now - 90)
    assert_problem(await come_back(desk, people), 401, "sign_in_failed")


async def test_the_way_back_belongs_to_the_browser_that_began(desk: Desk, people: Provider) -> None:
    back = people.signs_in(await begin(desk), "ann")
    desk.client.cookies.clear()
    assert_problem(await desk.client.get(back), 401, "sign_in_failed")


async def test_the_way_back_belongs_to_the_last_sign_in(desk: Desk, people: Provider) -> None:
    back = people.signs_in(await begin(desk), "ann")
    await begin(desk)
    assert_problem(await desk.client.get(back), 401, "sign_in_failed")


@pytest.mark.parametrize("cookie", ["", "AAAA", "e30", "!", "eyJzdGF0ZSI6IDF9"])
async def test_a_cookie_that_isnt_ours_is_no_sign_in(desk: Desk, cookie: str) -> None:
    desk.client.cookies.set("reward_llm_sign_in", cookie)
    response = await desk.client.get("/v1/sign-in/callback?code=c&state=s")
    assert_problem(response, 401, "sign_in_failed")


async def test_another_state_is_refused(desk: Desk, people: Provider) -> None:
    back = httpx.URL(people.signs_in(await begin(desk), "ann"))
    for state in ({"state": "another"}, {"state": ""}):
        response = await desk.client.get(back.copy_merge_params(state))
        assert_problem(response, 401, "sign_in_failed")
    assert_problem(await desk.client.get(back.copy_remove_param("state")), 401, "sign_in_failed")


async def test_a_code_is_good_for_once(desk: Desk, people: Provider) -> None:
    url = await begin(desk)
    again = {"Cookie": f"reward_llm_sign_in={desk.client.cookies['reward_llm_sign_in']}"}
    back = people.signs_in(url, "ann")
    assert (await desk.client.get(back)).status_code == 303
    assert "reward_llm_sign_in" not in desk.client.cookies
    assert_problem(await desk.client.get(back, headers=again), 401, "sign_in_failed")


async def test_a_stolen_code_needs_the_verifier(desk: Desk, people: Provider) -> None:
    """Another browser's code, pasted into one's own sign-in: PKCE and nonce belong to the other one."""
    stolen = httpx.URL(people.signs_in(await begin(desk), "bob")).params["code"]
    mine = httpx.URL(people.signs_in(await begin(desk), "ann"))
    assert_problem(await desk.client.get(mine.copy_set_param("code", stolen)), 401, "sign_in_failed")


async def test_taking_too_long_is_too_late(desk: Desk, people: Provider) -> None:
    back = people.signs_in(await begin(desk), "ann")
    desk.clock.advance(601)
    assert_problem(await desk.client.get(back), 401, "sign_in_failed")


async def test_another_provider_than_was_asked_is_refused(desk: Desk, people: Provider) -> None:
    back = httpx.URL(people.signs_in(await begin(desk), "ann")).copy_set_param("iss", "https://accounts.example")
    assert_problem(await desk.client.get(back), 401, "sign_in_failed")


async def test_a_person_may_cancel(desk: Desk, people: Provider) -> None:
    url = await begin(desk)
    back = httpx.URL(people.denies(url)).copy_set_param("state", parse_qs(urlsplit(url).query)["state"][0])
    problem = assert_problem(await desk.client.get(back), 401, "sign_in_failed")
    assert "access_denied" in problem["detail"]


@pytest.mark.parametrize(
    "to",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "v1/me", "", "/ ", "/\t/x"],
)
async def test_nobody_is_led_away_from_the_service(desk: Desk, to: str) -> None:
    assert_problem(await desk.client.get("/v1/sign-in", params={"to": to}), 422, "invalid_input")


async def test_without_a_provider_nobody_signs_in(setup: Setup) -> None:
    async with setup.start() as desk:
        for method, path in (("GET", "/v1/sign-in"), ("GET", "/v1/sign-in/callback"), ("POST", "/v1/sign-out")):
            assert_problem(await desk.client.request(method, path), 404, "not_found")
        me = (await desk.client.get("/v1/me", headers={"X-Actor": "wang"})).json()
        assert (me["name"], me["kind"], me["access"]) == ("wang", "anonymous", "open")


async def test_a_provider_that_is_away_is_said_to_be(setup: Setup, people: Provider, unused_tcp_port: int) -> None:
    async with service(setup, people, issuer=f"http://127.0.0.1:{unused_tcp_port}") as desk:
        response = await desk.client.get("/v1/sign-in")
        assert_problem(response, 503, "provider_unavailable")
        assert response.headers["retry-after"]


async def test_a_provider_that_calls_itself_otherwise_isnt_asked(setup: Setup, people: Provider) -> None:
    async with service(setup, people, issuer=people.url + "/") as desk:
        assert_problem(await desk.client.get("/v1/sign-in"), 503, "provider_unavailable")


async def test_a_session_isnt_let_in_while_the_store_is_away(desk: Desk, people: Provider, setup: Setup) -> None:
    await sign_in(desk, people)
    rename(setup, "sessions", "sessions_away")
    assert_problem(await desk.client.get("/v1/me"), 503, "store_unavailable")
    rename(setup, "sessions_away", "sessions")
    assert (await desk.client.get("/v1/me")).status_code == 200
