from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from reward_llm.api import ApiConfig
from reward_llm.api.edge.config import EdgeConfig
from reward_llm.domain.access import AccessMode, Grant, Role
from tests.api.callers import Office, office
from tests.api.harness import Setup, assert_problem

VIEWER = Grant(role=Role.VIEWER)
NONSENSE = "rlm_00000000_nonsense"


@asynccontextmanager
async def limited(setup: Setup, access: AccessMode = AccessMode.TOKENS, **limits: int) -> AsyncIterator[Office]:
    async with office(setup, ApiConfig(access=access, edge=EdgeConfig(**limits))) as at:
        yield at


async def statuses(at: Office, count: int, path: str, token: Any = None) -> list[int]:
    return [(await at.ask("GET", path, token)).status_code for _ in range(count)]


async def test_too_many_requests_are_refused_and_told_when_to_come_back(setup: Setup) -> None:
    async with limited(setup, requests_per_minute=3) as at:
        token = await at.token(VIEWER)
        assert await statuses(at, 3, "/v1/policies", token) == [200] * 3
        refused = await at.ask("GET", "/v1/policies", token)
        assert_problem(refused, 429, "rate_limited")
        assert 0 < int(refused.headers["retry-after"]) <= 20
        at.desk.clock.advance(int(refused.headers["retry-after"]))
        assert await statuses(at, 2, "/v1/policies", token) == [200, 429]


async def test_every_answer_says_what_is_left(setup: Setup) -> None:
    async with limited(setup, requests_per_minute=2, weights_per_minute=50) as at:
        token = await at.token(VIEWER)
        answers = [await at.ask("GET", "/v1/policies", token) for _ in range(3)]
        assert {a.headers["ratelimit-policy"] for a in answers} == {'"requests";q=2;w=60'}
        assert [a.headers["ratelimit"].split(";")[1] for a in answers] == ["r=1", "r=0", "r=0"]
        weights = await at.ask("GET", "/v1/weights/home_feed", token)
        assert weights.headers["ratelimit"].startswith('"weights";r=49;t=')


async def test_tokens_and_people_have_limits_of_their_own(setup: Setup) -> None:
    async with limited(setup, requests_per_minute=1) as at:
        ann, bob = await at.token(VIEWER, name="ann"), await at.token(VIEWER, name="bob")
        assert await statuses(at, 2, "/v1/policies", ann) == [200, 429]
        assert await statuses(at, 2, "/v1/policies", bob) == [200, 429]


async def test_looking_weights_up_has_a_limit_of_its_own(setup: Setup) -> None:
    async with limited(setup, requests_per_minute=1, weights_per_minute=4) as at:
        token = await at.token(VIEWER)
        assert await statuses(at, 2, "/v1/policies", token) == [200, 429]
        assert await statuses(at, 5, "/v1/weights/home_feed", token) == [200] * 4 + [429]


async def test_probes_are_never_refused(setup: Setup) -> None:
    async with limited(setup, requests_per_minute=1, refusals_per_minute=1) as at:
        for probe in ("/livez", "/readyz"):
            assert await statuses(at, 5, probe) == [200] * 5
        assert "ratelimit" not in (await at.ask("GET", "/livez")).headers


@pytest.mark.parametrize(
    ("path", "token", "status"), [("/v1/policies", NONSENSE, 401), ("/v1/policies", None, 401), ("/v1/no", None, 404)]
)
async def test_who_is_refused_again_and_again_is_told_to_wait(
    setup: Setup, path: str, token: str | None, status: int
) -> None:
    async with limited(setup, requests_per_minute=100, refusals_per_minute=2) as at:
        assert await statuses(at, 3, path, token) == [status, status, 429]
        refused = await at.ask("GET", path, token)
        assert_problem(refused, 429, "rate_limited")
        assert refused.headers["ratelimit"].startswith('"refusals";r=0;t=')


async def test_a_token_that_holds_goes_on_beside_one_that_doesnt(setup: Setup) -> None:
    async with limited(setup, requests_per_minute=100, refusals_per_minute=1) as at:
        token = await at.token(VIEWER)
        assert await statuses(at, 3, "/v1/policies", NONSENSE) == [401, 429, 429]
        assert await statuses(at, 3, "/v1/policies", token) == [200] * 3


async def test_where_access_is_open_addresses_are_counted(setup: Setup) -> None:
    async with limited(setup, AccessMode.OPEN, requests_per_minute=2) as at:
        actors = [{"X-Actor": name} for name in ("ann", "bob", "carl")]
        answers = [await at.ask("GET", "/v1/policies", headers=actor) for actor in actors]
        assert [a.status_code for a in answers] == [200, 200, 429]


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("203.0.113.7", "203.0.113.8", False),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("203.0.113.7", "::ffff:203.0.113.7", True),
        ("a-socket", "a-socket", True),
    ],
)
async def test_an_address_is_what_one_subscriber_has(setup: Setup, first: str, second: str, shared: bool) -> None:
    async with limited(setup, AccessMode.OPEN, requests_per_minute=1) as at:
        assert await asked_from(at, first) == 200
        assert await asked_from(at, second) == (429 if shared else 200)


async def asked_from(at: Office, address: str) -> int:
    transport = httpx.ASGITransport(at.desk.app, client=(address, 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return (await client.get("/v1/policies")).status_code


async def test_nothing_is_counted_unless_it_is_asked_for(setup: Setup) -> None:
    async with setup.start() as desk:
        assert "ratelimit" not in (await desk.client.get("/v1/policies")).headers
