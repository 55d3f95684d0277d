"""`/v1/health`: how a process is, for those who look after it."""

from __future__ import annotations

import pytest

from reward_llm import __version__
from reward_llm.api.recent_errors import KEPT
from reward_llm.domain.access import Grant, Role
from reward_llm.errors import ModelUnavailable
from reward_llm.generation.clients.scripted import ScriptedModel
from tests.api.callers import ADMIN, office
from tests.api.harness import GOAL, Desk, Setup, assert_problem


async def test_it_says_who_reads_goals_and_how_fresh_the_weights_are(desk: Desk) -> None:
    policy = await desk.edit()
    await desk.activate(policy["policy_id"])
    health = (await desk.client.get("/v1/health")).json()
    assert (health["version"], health["status"]) == (__version__, "ready")
    assert health["started_at"] < health["as_of"]
    assert health["readers"]["backends"] == ["scripted", "rules"]
    assert health["readers"]["ok"] is True
    assert (health["board"]["revision"], health["board"]["stale"]) == (1, False)
    assert (health["feed"]["kind"], health["feed"]["connected"]) == ("polling", True)
    assert set(health["checks"]) == {"store", "model", "board", "feed"}


async def test_a_model_that_is_away_shows_while_the_rest_goes_on(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ping(_: ScriptedModel) -> str:
        raise ModelUnavailable("nobody listens there")

    monkeypatch.setattr(ScriptedModel, "ping", ping)
    async with setup.start() as desk:
        health = (await desk.client.get("/v1/health")).json()
    assert (health["status"], health["readers"]["ok"]) == ("degraded", False)
    assert health["readers"]["detail"] == "nobody listens there"
    assert health["checks"]["store"]["ok"]


async def test_the_last_errors_are_kept_newest_first_and_refusals_are_not(setup: Setup, desk: Desk) -> None:
    assert (await desk.client.get("/v1/health/errors")).json()["items"] == []
    await desk.client.get("/v1/goals/none")
    await desk.client.post("/v1/rerank", json={"scenario": "home_feed", "candidates": [{"item_id": "a"}], "size": 1})
    setup.take_the_store_away()
    try:
        failed = await desk.client.post("/v1/goals", json=GOAL)
    finally:
        setup.bring_the_store_back()
    assert_problem(failed, 503, "store_unavailable")
    newest, older = (await desk.client.get("/v1/health/errors")).json()["items"]
    assert (newest["code"], newest["method"], newest["path"]) == ("store_unavailable", "POST", "/v1/goals")
    assert newest["request_id"] == failed.headers["x-request-id"]
    assert older["code"] == "ranker_unavailable"
    assert newest["at"] > older["at"]


async def test_no_more_errors_are_kept_than_there_is_room_for(desk: Desk) -> None:
    sent = {"scenario": "home_feed", "candidates": [{"item_id": "a"}], "size": 1}
    for _ in range(KEPT + 5):
        await desk.client.post("/v1/rerank", json=sent)
    assert len((await desk.client.get("/v1/health/errors")).json()["items"]) == KEPT


async def test_errors_are_for_those_who_may_read_everything(setup: Setup) -> None:
    async with office(setup) as at:
        here = await at.token(Grant(role=Role.ADMIN, scenario="home_feed"), name="here")
        everywhere = await at.token(ADMIN, name="everywhere")
        assert (await at.ask("GET", "/v1/health", here)).status_code == 200
        assert_problem(await at.ask("GET", "/v1/health/errors", here), 403, "forbidden")
        assert (await at.ask("GET", "/v1/health/errors", everywhere)).status_code == 200
        assert_problem(await at.ask("GET", "/v1/health", None), 401, "unauthenticated")
