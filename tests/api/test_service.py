from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from fastapi import FastAPI
from fastapi.openapi.models import OpenAPI
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from reward_llm.api import ApiConfig
from reward_llm.errors import ModelUnavailable
from reward_llm.generation.clients.scripted import ScriptedModel
from tests.api.harness import EDIT, GOAL, RAISE_GMV, Desk, PausedModel, Setup, assert_problem


class SlowModel(PausedModel):
    pings = 0

    async def ping(self) -> str:
        self.pings += 1
        self.asked.set()
        await self.may_answer.wait()
        return "slow"


class AbsentModel(ScriptedModel):
    async def ping(self) -> str:
        raise ModelUnavailable("connection refused")


class HangingModel(ScriptedModel):
    async def ping(self) -> str:
        await asyncio.sleep(60)
        return "never"


async def test_scenarios_say_what_can_be_asked_for(desk: Desk) -> None:
    listed = (await desk.client.get("/v1/scenarios")).json()["items"]
    assert [s["name"] for s in listed] == ["home_feed", "video_feed"]
    one = (await desk.client.get("/v1/scenarios/home_feed")).json()
    assert one == listed[0]
    assert one["utilities"][3]["held"]
    assert one["utilities"][0]["description"]["zh"]
    assert [s["name"] for s in one["segments"]] == ["new_user", "mature_user"]
    assert_problem(await desk.client.get("/v1/scenarios/home_fed"), 404, "scenario_unknown")


async def test_a_living_process_says_so(desk: Desk) -> None:
    assert (await desk.client.get("/livez")).json() == {"status": "alive"}


async def test_readiness_names_each_part(desk: Desk) -> None:
    response = await desk.client.get("/readyz")
    body = response.json()
    assert (response.status_code, body["status"]) == (200, "ready")
    assert set(body["checks"]) == {"store", "model", "board", "feed"}
    assert all(c["ok"] for c in body["checks"].values())


async def test_without_its_store_the_service_is_degraded(desk: Desk, setup: Setup) -> None:
    setup.take_the_store_away()
    response = await desk.client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert not response.json()["checks"]["store"]["ok"]


@pytest.mark.parametrize("model", [AbsentModel([RAISE_GMV]), HangingModel([RAISE_GMV])])
async def test_without_its_model_the_service_is_degraded(setup: Setup, model: ScriptedModel) -> None:
    async with setup.start(model=model, config=ApiConfig(ping_s=0.05)) as desk:
        body = (await desk.client.get("/readyz")).json()
        assert (body["status"], body["checks"]["model"]["ok"]) == ("degraded", False)


async def test_metrics_count_what_happened(desk: Desk) -> None:
    await desk.submit()
    await desk.client.post("/v1/goals", content=b"{")
    await desk.weights("new_user")
    exposition = (await desk.client.get("/metrics")).text
    for line in (
        'reward_llm_goals_total{decision="propose",source="scripted"} 1.0',
        'reward_llm_goals_refused_total{code="body_malformed"} 1.0',
        'reward_llm_lookups_total{rule="default",scenario="home_feed"} 1.0',
        "reward_llm_proposal_seconds_count 1.0",
        "reward_llm_board_age_seconds",
    ):
        assert line in exposition


async def test_two_applications_count_apart(setup: Setup) -> None:
    async with setup.start() as one, setup.start() as other:
        await one.weights()
        assert "reward_llm_lookups_total{" not in (await other.client.get("/metrics")).text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("DELETE", "/v1/goals", 405, "method_not_allowed"),
        ("GET", "/v1/goals/%00", 422, "invalid_input"),
    ],
)
async def test_the_router_answers_with_problems(desk: Desk, method: str, path: str, status: int, code: str) -> None:
    response = await desk.client.request(method, path)
    assert_problem(response, status, code)
    if status == 405:
        assert "POST" in response.headers["allow"]


async def test_a_crash_gives_nothing_away(desk: Desk) -> None:
    @desk.app.get("/crash")
    async def crash() -> None:
        raise RuntimeError("the password is hunter2")

    with structlog.testing.capture_logs() as logs:
        problem = assert_problem(await desk.client.get("/crash"), 500, "internal_error")
    assert "hunter2" not in str(problem)
    (crashed,) = [entry for entry in logs if entry["event"] == "request.crashed"]
    assert crashed["request_id"] in problem["instance"]


async def test_a_request_is_one_line_in_the_log_without_its_text(desk: Desk) -> None:
    with structlog.testing.capture_logs() as logs:
        response = await desk.client.post("/v1/goals", json=GOAL)
    (line,) = [entry for entry in logs if entry["event"] == "request"]
    assert (line["method"], line["path"], line["status"]) == ("POST", "/v1/goals", 201)
    assert response.headers["x-request-id"]
    assert GOAL["text"] not in str([e for e in logs if e["log_level"] != "debug"])


async def test_the_description_is_valid_openapi(desk: Desk) -> None:
    document = (await desk.client.get("/openapi.json")).json()
    OpenAPI.model_validate(document)
    operations = [
        (path, method, operation) for path, item in document["paths"].items() for method, operation in item.items()
    ]
    for path, method, operation in operations:
        assert operation["summary"], (path, method)
        assert operation["description"], (path, method)
        for status, response in operation["responses"].items():
            if status.startswith("4"):
                own = path.startswith("/ofrep/") and status in {"400", "404"}
                assert set(response["content"]) == {f"application/{'' if own else 'problem+'}json"}, (path, status)
    assert "HTTPValidationError" not in document["components"]["schemas"]


async def test_what_is_answered_is_what_is_described(desk: Desk) -> None:
    app: FastAPI = desk.app
    document = app.openapi()
    registry = Registry().with_resource("urn:openapi", DRAFT202012.create_resource(document))
    goal, policy = await desk.submit(), await desk.edit()
    activation = (await desk.activate(policy["policy_id"])).json()
    problem = (await desk.client.get("/v1/goals/none")).json()
    scope = (await desk.client.get("/v1/scopes/home_feed/-")).json()
    change = {"json": {"percent": 50}, "headers": {"If-Match": '"9"'}}
    outdated = (await desk.client.patch(f"/v1/activations/{activation['sequence']}", **change)).json()
    rollback = await desk.client.post("/v1/scopes/home_feed/-/rollback", json={"reason": "a try"})
    answers = {
        "GoalWire": goal,
        "PolicyWire": policy,
        "ActivationWire": activation,
        "ScopeWire": scope,
        "RollbackWire": rollback.json(),
        "WeightsWire": await desk.weights(),
        "SnapshotWire": (await desk.client.get("/v1/weights")).json(),
        "ScenarioWire": (await desk.client.get("/v1/scenarios/video_feed")).json(),
        "ReadinessWire": (await desk.client.get("/readyz")).json(),
        "Problem": problem,
    }
    for name, answer in [*answers.items(), ("Problem", outdated)]:
        schema = {"$ref": f"urn:openapi#/components/schemas/{name}"}
        Draft202012Validator(schema, registry=registry).validate(answer)
    for path, sent in {"/v1/goals": GOAL, "/v1/policies": EDIT}.items():
        described = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        Draft202012Validator(described).validate(sent)
        for example in described.get("examples", []):
            Draft202012Validator(described).validate(example)


def test_the_application_starts_without_torch(tmp_path: Path) -> None:
    code = "import sys, reward_llm.api, reward_llm.delivery, reward_llm.store; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path.cwd(), check=False).returncode == 0


async def test_a_path_is_the_one_that_is_written_and_nobody_is_sent_elsewhere(desk: Desk) -> None:
    """A redirection would name the host that the request named, over plain http behind a proxy."""
    response = await desk.client.get("/v1/goals/", headers={"Host": "evil.example"})
    assert_problem(response, 404, "not_found")
    assert "location" not in response.headers


async def test_the_parts_are_asked_once_for_all_who_want_to_know(setup: Setup) -> None:
    model = SlowModel([RAISE_GMV])
    async with setup.start(model=model) as desk:
        asked = [asyncio.create_task(desk.client.get("/readyz")) for _ in range(20)]
        await asyncio.wait_for(model.asked.wait(), 30)
        asked[0].cancel()
        await asyncio.sleep(0.2)
        model.may_answer.set()
        assert {(await a).status_code for a in asked[1:]} == {200}
        assert model.pings == 1
        assert (await desk.client.get("/readyz")).status_code == 200
        assert model.pings == 2
