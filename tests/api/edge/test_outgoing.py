from __future__ import annotations

import pytest
from fastapi import Response

from reward_llm.api import ApiConfig
from reward_llm.api.edge.config import EdgeConfig
from tests.api.harness import Desk, Setup, assert_problem

CLOSED = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/livez", 200),
        ("/v1/weights/home_feed", 200),
        ("/v1/weights/no", 404),
        ("/no", 404),
        ("/v1/goals?limit=x", 422),
    ],
)
async def test_every_answer_is_closed(desk: Desk, path: str, status: int) -> None:
    response = await desk.client.get(path)
    assert response.status_code == status
    assert CLOSED.items() <= dict(response.headers).items()
    assert "strict-transport-security" not in response.headers


async def test_a_crash_is_as_closed_as_any_answer(desk: Desk) -> None:
    async def crash() -> None:
        raise RuntimeError("rlm_00000000_secret")

    desk.app.add_api_route("/v1/crash", crash)
    response = await desk.client.get("/v1/crash")
    assert_problem(response, 500, "internal_error")
    assert {**CLOSED, "cache-control": "no-store"}.items() <= dict(response.headers).items()


async def test_answers_arent_kept_unless_they_say_how(desk: Desk) -> None:
    assert (await desk.client.get("/v1/policies")).headers["cache-control"] == "no-store"
    assert (await desk.client.get("/v1/me")).headers["cache-control"] == "no-store"
    assert (await desk.client.get("/v1/weights/home_feed")).headers["cache-control"] == "no-cache"


async def test_a_page_may_bring_a_policy_of_its_own(desk: Desk) -> None:
    async def page() -> Response:
        return Response("<p>", headers={"Content-Security-Policy": "default-src 'self'"}, media_type="text/html")

    desk.app.add_api_route("/page", page)
    response = await desk.client.get("/page")
    assert response.headers.get_list("content-security-policy") == ["default-src 'self'"]
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_behind_https_browsers_are_told_to_stay_there(setup: Setup) -> None:
    async with setup.start(config=ApiConfig(edge=EdgeConfig(public_url="https://feed.example"))) as desk:
        assert (await desk.client.get("/livez")).headers["strict-transport-security"] == "max-age=31536000"
