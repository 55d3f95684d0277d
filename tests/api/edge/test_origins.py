from __future__ import annotations

import pytest

from reward_llm.api import ApiConfig
from reward_llm.api.edge.config import EdgeConfig
from tests.api.harness import EDIT, Desk, Setup, assert_problem

CONSOLE = "https://console.example"
OPENED = ApiConfig(edge=EdgeConfig(cors_origins=(CONSOLE,), public_url="https://feed.example"))
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://test.evil.example"},
        {"Origin": "http://test:81"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://test"},
        {"Sec-Fetch-Site": ""},
        {"Origin": "http://["},
        {"Authorization": "Basic bWU6aHVudGVyMg==", "Origin": "https://evil.example"},
        {"Authorization": "Negotiate YII=", "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_page_of_another_site_writes_nothing_where_access_is_open(
    desk: Desk, headers: dict[str, str]
) -> None:
    assert_problem(await desk.client.post("/v1/policies", json=EDIT, headers=headers), 403, "cross_site_refused")
    assert (await desk.client.get("/v1/policies", headers=headers)).json()["items"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://test"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://test"},
        {"Sec-Fetch-Site": "none"},
        {"Authorization": "Bearer x", "Origin": "https://evil.example"},
    ],
)
async def test_programs_and_pages_of_this_service_write(desk: Desk, headers: dict[str, str]) -> None:
    assert (await desk.client.post("/v1/policies", json=EDIT, headers=headers)).status_code == 201


async def test_behind_a_proxy_the_origin_is_the_public_one(setup: Setup) -> None:
    async with setup.start(config=OPENED) as desk:
        response = await desk.client.post("/v1/policies", json=EDIT, headers={"Origin": "https://feed.example"})
        assert response.status_code == 201


async def test_other_sites_read_nothing(desk: Desk) -> None:
    response = await desk.client.get("/v1/policies", headers={"Origin": CONSOLE})
    assert not [name for name in response.headers if name.startswith("access-control-")]
    preflight = await desk.client.options("/v1/policies", headers={"Origin": CONSOLE, **PREFLIGHT})
    assert not preflight.is_success
    assert not [name for name in preflight.headers if name.startswith("access-control-")]


async def test_sites_that_are_named_call_with_tokens_and_without_cookies(setup: Setup) -> None:
    async with setup.start(config=OPENED) as desk:
        preflight = await desk.client.options("/v1/policies", headers={"Origin": CONSOLE, **PREFLIGHT})
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == CONSOLE
        assert "Authorization" in preflight.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in preflight.headers
        response = await desk.client.post("/v1/policies", json=EDIT, headers={"Origin": CONSOLE})
        assert (response.status_code, response.headers["access-control-allow-origin"]) == (201, CONSOLE)
        assert "ETag" in response.headers["access-control-expose-headers"]


async def test_a_site_that_isnt_named_stays_out_beside_one_that_is(setup: Setup) -> None:
    async with setup.start(config=OPENED) as desk:
        evil = {"Origin": "https://console.example.evil"}
        assert not (await desk.client.options("/v1/policies", headers={**evil, **PREFLIGHT})).is_success
        assert_problem(await desk.client.post("/v1/policies", json=EDIT, headers=evil), 403, "cross_site_refused")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8300", "", "127.0.0.1.evil.example", "["])
async def test_on_loopback_a_name_that_leads_here_is_not_enough(setup: Setup, host: str) -> None:
    hosts = frozenset({"localhost", "127.0.0.1", "::1"})
    async with setup.start(config=ApiConfig(edge=EdgeConfig(hosts=hosts)), base_url="http://localhost") as desk:
        answer = await desk.client.get("/v1/policies", headers={"Host": host})
        assert_problem(answer, 421, "host_unknown")
        for own in ("localhost", "127.0.0.1:8300", "[::1]:8300"):
            assert (await desk.client.get("/v1/policies", headers={"Host": own})).status_code == 200
