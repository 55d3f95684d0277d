from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from reward_llm.api import ApiConfig
from reward_llm.errors import ModelUnavailable
from reward_llm.generation.clients.scripted import ScriptedModel
from tests.api.golden import NAME, PRODUCTION, STAGING, VERSIONS, add, model, promote, write_golden_set
from tests.api.harness import RAISE_GMV, Desk, PausedModel, Setup, assert_problem

GOAL = {"scenario": "home_feed", "text": "Raise GMV #1"}


@pytest.fixture
async def desk(setup: Setup) -> AsyncIterator[Desk]:
    write_golden_set(setup.path.parent)
    async with setup.start(model=model()) as desk:
        await add(desk, quality=2)
        yield desk


async def test_a_prompt_is_rendered_as_a_model_would_be_sent_it(desk: Desk) -> None:
    sent = {"scenario": "home_feed", "goal": 'Raise "GMV" now'}
    rendered = (await desk.client.post(f"{VERSIONS}/2/render", json=sent)).json()
    system, user = rendered["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    assert system["content"].endswith("quality 2")
    assert json.loads(user["content"])["goal"] == 'Raise "GMV" now'
    assert "gmv" in json.loads(user["content"])["lexicon"]
    assert rendered["answer_schema"]["type"] == "object"
    assert desk.model.requests == []


async def test_the_lexicons_hints_can_be_replaced(desk: Desk) -> None:
    sent = {"scenario": "home_feed", "goal": "Raise GMV", "hints": {"click": "lower clear"}}
    rendered = (await desk.client.post(f"{VERSIONS}/1/render", json=sent)).json()
    assert json.loads(rendered["messages"][1]["content"])["lexicon"] == {"click": "lower clear"}


@pytest.mark.parametrize("work", ["render", "try"])
async def test_values_that_cant_be_used_are_refused(desk: Desk, work: str) -> None:
    path, key = f"{VERSIONS}/2/{work}", "goal" if work == "render" else "text"
    unknown = await desk.client.post(path, json={"scenario": "home_fed", key: "x"})
    assert_problem(unknown, 404, "scenario_unknown")
    assert_problem(await desk.client.post(path, json={"scenario": "home_feed"}), 422, "invalid_input")
    assert_problem(await desk.client.post(path, content=b"{"), 400, "body_malformed")
    missing = await desk.client.post(f"{VERSIONS}/9/{work}", json={"scenario": "home_feed", key: "x"})
    assert_problem(missing, 404, "prompt_version_unknown")


async def test_a_goal_is_tried_and_nothing_of_it_is_kept(desk: Desk) -> None:
    response = await desk.client.post(f"{VERSIONS}/2/try", json=GOAL)
    tried = response.json()
    assert (response.status_code, tried["version"], tried["prompt"]) == (200, 2, "goal_to_intents@2")
    assert (tried["source"], tried["decision"], tried["reason"]) == ("scripted", "propose", None)
    assert tried["weights"]["gmv"] > tried["defaults"]["gmv"]
    assert tried["attempts"][0]["raw_answer"] == RAISE_GMV
    assert (await desk.client.get("/v1/goals")).json()["items"] == []
    assert (await desk.client.get("/v1/policies")).json()["items"] == []


async def test_another_backend_may_read(desk: Desk) -> None:
    tried = (await desk.client.post(f"{VERSIONS}/2/try", json={**GOAL, "backend": "rules"})).json()
    assert (tried["source"], tried["prompt"]) == ("rules", None)
    assert desk.model.requests == []


@pytest.mark.parametrize("work", ["try", "evaluate"])
async def test_a_backend_that_isnt_there_is_refused_with_those_that_are(desk: Desk, work: str) -> None:
    sent = {**(GOAL if work == "try" else {}), "backend": "vllm"}
    problem = assert_problem(await desk.client.post(f"{VERSIONS}/2/{work}", json=sent), 422, "backend_not_configured")
    assert "scripted" in problem["hint"]
    unheard_of = await desk.client.post(f"{VERSIONS}/2/{work}", json={**sent, "backend": "oracle"})
    assert_problem(unheard_of, 422, "invalid_input")


async def test_a_version_is_measured_by_kind_with_its_failures(desk: Desk) -> None:
    measured = (await desk.client.post(f"{VERSIONS}/2/evaluate")).json()
    assert (measured["score"], measured["overall"]) == (0.5, {"right": 2, "of": 4})
    assert measured["by_kind"] == {"direct": {"right": 2, "of": 2}, "metric": {"right": 0, "of": 2}}
    assert (measured["backend"], measured["golden_set"], measured["prompt_use"]) == ("scripted", "four", "whole")
    assert [(f["id"], f["expected"], f["read"]) for f in measured["failures"]] == [
        ("four-3", "raise gmv", "no_change"),
        ("four-4", "raise gmv", "no_change"),
    ]


async def test_measuring_tells_how_far_it_is(desk: Desk) -> None:
    headers = {"Accept": "application/x-ndjson"}
    response = await desk.client.post(f"{VERSIONS}/2/evaluate", json={"backend": "scripted"}, headers=headers)
    assert response.headers["content-type"] == "application/x-ndjson"
    *steps, last = map(json.loads, response.text.splitlines())
    assert steps == [{"done": n, "of": 4} for n in (1, 2, 3, 4)]
    assert last["result"]["score"] == 0.5


async def test_what_fails_before_the_first_goal_is_a_problem_document(desk: Desk) -> None:
    headers = {"Accept": "application/x-ndjson"}
    response = await desk.client.post(f"{VERSIONS}/2/evaluate", json={"backend": "vllm"}, headers=headers)
    assert_problem(response, 422, "backend_not_configured")


async def test_goals_that_no_model_answered_count_as_wrong(setup: Setup) -> None:
    write_golden_set(setup.path.parent)
    async with setup.start(model=ScriptedModel([ModelUnavailable("away")])) as desk:
        await add(desk, threshold=0.0)
        measured = (await desk.client.post(f"{VERSIONS}/2/evaluate")).json()
    assert measured["score"] == 0.0
    assert {f["source"] for f in measured["failures"]} == {"rules"}


async def test_what_is_answered_is_what_is_described(desk: Desk) -> None:
    await desk.client.put(STAGING, json={"version": 2, "reason": "try it"}, headers={"If-None-Match": "*"})
    await add(desk, quality=4)
    assert (await promote(desk, 3)).status_code == 200
    render = {"scenario": "home_feed", "goal": "Raise GMV"}
    answers = {
        "PromptWire": await desk.client.get(f"/v1/prompts/{NAME}"),
        "PromptVersionWire": await desk.client.get(f"{VERSIONS}/2"),
        "PromptDiffWire": await desk.client.get(f"/v1/prompts/{NAME}/diff?from=1&to=2"),
        "PromptLabelWire": await desk.client.get(STAGING),
        "Listing_LabelMoveWire_": await desk.client.get(f"{PRODUCTION}/history"),
        "RenderedWire": await desk.client.post(f"{VERSIONS}/2/render", json=render),
        "TryWire": await desk.client.post(f"{VERSIONS}/2/try", json=GOAL),
        "EvaluationWire": await desk.client.post(f"{VERSIONS}/2/evaluate"),
        "Problem": await promote(desk, 2),
    }
    assert answers["Problem"].json()["code"] == "evaluation_below"
    registry = Registry().with_resource("urn:openapi", DRAFT202012.create_resource(desk.app.openapi()))
    for name, answer in answers.items():
        schema = {"$ref": f"urn:openapi#/components/schemas/{name}"}
        Draft202012Validator(schema, registry=registry).validate(answer.json())


async def test_no_more_golden_sets_are_read_at_once_than_may_be(setup: Setup) -> None:
    write_golden_set(setup.path.parent)
    paused = PausedModel([RAISE_GMV])
    async with setup.start(model=paused, config=ApiConfig(evaluations=1)) as desk:
        await add(desk)
        first = asyncio.create_task(desk.client.post(f"{VERSIONS}/2/evaluate"))
        await paused.asked.wait()
        busy = await desk.client.post(f"{VERSIONS}/2/evaluate")
        assert_problem(busy, 409, "evaluation_underway")
        assert int(busy.headers["retry-after"]) > 0
        assert_problem(await promote(desk, 2), 409, "evaluation_underway")
        paused.may_answer.set()
        assert (await first).json()["score"] == 1.0
        assert (await desk.client.post(f"{VERSIONS}/2/evaluate")).status_code == 200
