"""`POST /v1/rerank` and `POST /v1/policies/preview`, over small networks that never learned anything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ranker.whatif import WhatIfConfig
from reward_llm.api import ApiConfig
from reward_llm.api.edge.config import EdgeConfig
from reward_llm.domain.access import Grant, Role
from reward_llm.errors import RankerUnavailable
from reward_llm.ranking.engine import Engine, EngineConfig
from reward_llm.ranking.room import Room
from tests.api.callers import office
from tests.api.harness import EDITED, Desk, Setup, assert_problem
from tests.ranking.requests import request_of, row_of

FEW = WhatIfConfig(requests=20, nearby=6, resamples=200, examples=2)
EVEN = {"click": 0.3, "gmv": 0.7}


@pytest.fixture(scope="module")
def room(folder: Path) -> Iterator[Room]:
    opened = Room(lambda: Engine.load(EngineConfig(checkpoint=folder, what_if=FEW)))
    yield opened
    asyncio.run(opened.aclose())


@pytest.fixture
async def ranking(setup: Setup, room: Room) -> AsyncIterator[Desk]:
    async with replace(setup, reranker=room).start() as desk:
        yield desk


@pytest.fixture(scope="session")
def body(logged: pa.Table) -> dict[str, Any]:
    """The first logged request, as a ranking service sends it."""
    request = request_of(row_of(logged, 0))
    facts = ("item_id", "supply_type", "seller", "category", "price", "published", "group")
    candidates = [{**{n: getattr(c, n) for n in facts}, "features": dict(c.features)} for c in request.candidates]
    return {"scenario": "home_feed", "user": {"features": dict(request.user)}, "candidates": candidates, "size": 6}


async def test_a_slate_comes_with_whose_weights_made_it(ranking: Desk, body: dict[str, Any]) -> None:
    served = await ranking.weights()
    answer = (await ranking.client.post("/v1/rerank", json=body)).json()
    assert len(set(answer["slate"])) == 6
    assert (answer["policy_id"], answer["version"], answer["source"]) == (served["policy_id"], 0, "default")
    assert (answer["weights"], answer["rule"], answer["stale"]) == (served["weights"], "default", False)
    assert set(answer["utilities"]) == set(served["utilities"])
    assert (answer["missing"], answer["unknown"], answer["ignored"]) == ([], [], [])


async def test_what_is_activated_for_a_segment_ranks_for_it_alone(ranking: Desk, body: dict[str, Any]) -> None:
    policy = await ranking.edit(segment="new_user")
    assert (await ranking.activate(policy["policy_id"])).status_code == 200
    for segment, source in (("new_user", "human"), (None, "default")):
        answer = (await ranking.client.post("/v1/rerank", json={**body, "segment": segment})).json()
        assert answer["source"] == source
    assert (await ranking.client.post("/v1/rerank", json={**body, "segment": "new_user"})).json()["version"] == 1


async def test_a_unit_is_in_a_rollout_or_is_not(ranking: Desk, body: dict[str, Any]) -> None:
    policy = await ranking.edit()
    assert (await ranking.activate(policy["policy_id"], percent=50)).status_code == 200
    for unit in (f"u{n}" for n in range(8)):
        answer = (await ranking.client.post("/v1/rerank", json={**body, "unit": unit})).json()
        assert answer["policy_id"] == (await ranking.weights(unit=unit))["policy_id"]


async def test_weights_that_come_along_are_obeyed(ranking: Desk, body: dict[str, Any]) -> None:
    answer = (await ranking.client.post("/v1/rerank", json={**body, "weights": EVEN})).json()
    assert (answer["source"], answer["policy_id"], answer["version"], answer["rule"]) == ("request", None, None, None)
    assert answer["weights"] == {name: EVEN.get(name, 0) for name in EDITED}
    score = sum(EVEN[name] * answer["utilities"][name] for name in EVEN)
    assert answer["score"] == pytest.approx(score, abs=1e-5)


@pytest.mark.parametrize(
    ("weights", "paths"),
    [
        ({"click": 0.5, "profit": 0.5}, ["weights/profit"]),
        ({"click": 0.5}, ["weights"]),
        ({"click": 1.5, "gmv": -0.5}, ["weights/gmv"]),
        ({"click": 1e308, "gmv": 1e308}, ["weights"]),
        ({}, ["weights"]),
    ],
)
async def test_weights_that_can_not_be_used_are_refused(
    weights: dict[str, float], paths: list[str], ranking: Desk, body: dict[str, Any]
) -> None:
    for path in ("/v1/rerank", "/v1/policies/preview"):
        sent = {**body, "weights": weights} if path == "/v1/rerank" else {"scenario": "home_feed", "weights": weights}
        problem = assert_problem(await ranking.client.post(path, json=sent), 422, "weights_invalid")
        assert [v["path"] for v in problem["violations"]] == paths


async def test_pins_and_other_wishes_are_kept(ranking: Desk, body: dict[str, Any]) -> None:
    first, *rest = body["candidates"]
    sent = {**body, "candidates": [{**first, "forbidden": True}, *rest], "pinned": {rest[4]["item_id"]: 1}}
    slate = (await ranking.client.post("/v1/rerank", json=sent)).json()["slate"]
    assert slate[1] == rest[4]["item_id"]
    assert first["item_id"] not in slate


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"size": 0}, "invalid_input", "size"),
        ({"size": 51}, "invalid_input", "size"),
        ({"size": 40}, "ranking_invalid", "candidates"),
        ({"candidates": []}, "invalid_input", "candidates"),
        ({"pinned": {"nobody": 0}}, "ranking_invalid", "pinned/nobody"),
        ({"user": {"features": {"taste_0": "a lot"}}}, "ranking_invalid", "user/taste_0"),
        ({"users": {}}, "invalid_input", "users"),
    ],
)
async def test_what_can_not_be_ranked_is_a_problem_with_its_place(
    change: dict[str, Any], code: str, path: str, ranking: Desk, body: dict[str, Any]
) -> None:
    problem = assert_problem(await ranking.client.post("/v1/rerank", json={**body, **change}), 422, code)
    assert path in [v["path"] for v in problem["violations"]]


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("price", -1),
        ("price", 1e13),
        ("published", -5),
        ("group", -1),
        ("supply_type", "advert"),
        ("item_id", ""),
        ("item_id", "x" * 201),
        ("features", {"affinity": [1]}),
    ],
)
async def test_candidates_with_facts_out_of_range_are_refused(
    fact: str, value: Any, ranking: Desk, body: dict[str, Any]
) -> None:
    first, *rest = body["candidates"]
    sent = {**body, "candidates": [{**first, fact: value}, *rest]}
    problem = assert_problem(await ranking.client.post("/v1/rerank", json=sent), 422, "invalid_input")
    assert problem["violations"][0]["path"].startswith(f"candidates/0/{fact}")


async def test_more_candidates_than_the_networks_take_and_nan_are_refused(
    ranking: Desk, body: dict[str, Any]
) -> None:
    many = [{"item_id": f"i{n}"} for n in range(201)]
    assert_problem(await ranking.client.post("/v1/rerank", json={**body, "candidates": many}), 422, "invalid_input")
    text = json.dumps({**body, "candidates": [{"item_id": "a", "price": float("nan")}]})
    assert_problem(await ranking.client.post("/v1/rerank", content=text), 400, "body_malformed")


async def test_as_many_candidates_and_slots_as_may_be_are_ranked(ranking: Desk, body: dict[str, Any]) -> None:
    one = body["candidates"][0]
    many = [{**one, "item_id": "i" * 120 + str(n), "seller": f"s{n}"} for n in range(200)]
    sent = {**body, "candidates": many, "size": 50}
    assert len(json.dumps(sent)) > 64_000
    answer = await ranking.client.post("/v1/rerank", json=sent)
    assert answer.status_code == 200
    assert len(set(answer.json()["slate"])) == 50


async def test_a_body_over_the_limit_is_refused(setup: Setup, room: Room, body: dict[str, Any]) -> None:
    async with replace(setup, reranker=room).start(config=ApiConfig(rerank_limit_bytes=1_000)) as desk:
        assert_problem(await desk.client.post("/v1/rerank", json=body), 413, "body_too_large")


async def test_features_that_are_missing_or_unknown_are_named(ranking: Desk, body: dict[str, Any]) -> None:
    features = {**body["user"]["features"], "mood": True}
    del features["taste_3"]
    answer = (await ranking.client.post("/v1/rerank", json={**body, "user": {"features": features}})).json()
    assert (answer["missing"], answer["unknown"]) == (["user.taste_3"], ["user.mood"])


async def test_a_scenario_with_names_of_its_own_is_ranked_by_concept(ranking: Desk, body: dict[str, Any]) -> None:
    answer = (await ranking.client.post("/v1/rerank", json={**body, "scenario": "video_feed"})).json()
    assert (answer["ignored"], "watch_quality" in answer["utilities"]) == (["calm"], True)
    for change, code in (({"scenario": "none"}, "scenario_unknown"), ({"segment": "none"}, "segment_unknown")):
        assert_problem(await ranking.client.post("/v1/rerank", json={**body, **change}), 404, code)


async def test_without_a_ranker_the_answer_says_what_to_set(setup: Setup, body: dict[str, Any]) -> None:
    def load() -> Engine:
        raise RankerUnavailable("there is no checkpoint", hint="Set REWARD_LLM_RANKER_CHECKPOINT.")

    for reranker in (None, Room(load)):
        async with replace(setup, reranker=reranker).start() as desk:
            for path, sent in (("rerank", body), ("policies/preview", {"scenario": "home_feed", "weights": EDITED})):
                problem = assert_problem(await desk.client.post(f"/v1/{path}", json=sent), 503, "ranker_unavailable")
                assert "REWARD_LLM_RANKER_CHECKPOINT" in problem["hint"]
            assert (await desk.weights())["version"] == 0
        if reranker:
            await reranker.aclose()


async def test_a_viewer_of_the_scenario_may_rank_and_preview(
    setup: Setup,
    room: Room,
    body: dict[str, Any],
) -> None:
    async with office(replace(setup, reranker=room)) as at:
        here = await at.token(Grant(role=Role.VIEWER, scenario="home_feed"), name="here")
        there = await at.token(Grant(role=Role.ADMIN, scenario="video_feed"), name="there")
        for path, sent in (("rerank", body), ("policies/preview", {"scenario": "home_feed", "weights": EDITED})):
            assert (await at.ask("POST", f"/v1/{path}", here, json=sent)).status_code == 200
            assert_problem(await at.ask("POST", f"/v1/{path}", there, json=sent), 403, "forbidden")
            assert_problem(await at.ask("POST", f"/v1/{path}", None, json=sent), 401, "unauthenticated")


async def test_ranking_counts_as_looking_weights_up(setup: Setup, room: Room, body: dict[str, Any]) -> None:
    edge = EdgeConfig(requests_per_minute=1, weights_per_minute=3)
    async with replace(setup, reranker=room).start(config=ApiConfig(edge=edge)) as desk:
        statuses = [(await desk.client.post("/v1/rerank", json=body)).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


async def test_slates_are_counted(ranking: Desk, body: dict[str, Any]) -> None:
    chosen = (await ranking.client.post("/v1/rerank", json=body)).json()["chosen"]
    await ranking.client.post("/v1/rerank", json={**body, "size": 0})
    exposition = (await ranking.client.get("/metrics")).text
    assert f'reward_llm_rankings_total{{chosen="{chosen}",scenario="home_feed"}} 1.0' in exposition
    assert "reward_llm_ranking_seconds_count 1.0" in exposition
    assert 'reward_llm_lookups_total{rule="default",scenario="home_feed"} 1.0' in exposition


async def test_a_preview_is_against_what_is_in_force_and_names_what_the_gate_says(ranking: Desk) -> None:
    sent = {"scenario": "home_feed", "weights": EDITED}
    before = (await ranking.client.post("/v1/policies/preview", json=sent)).json()
    assert (before["now"], before["then"]) == ((await ranking.weights())["weights"], EDITED)
    assert (before["requests"], before["size"], before["gate"]) == (20, 6, [])
    policy = await ranking.edit()
    assert (await ranking.activate(policy["policy_id"])).status_code == 200
    after = (await ranking.client.post("/v1/policies/preview", json=sent)).json()
    assert (after["policy_id"], after["changed_share"]) == (policy["policy_id"], 0)
    extreme = {"scenario": "home_feed", "weights": {"gmv": 1.0}}
    refused = (await ranking.client.post("/v1/policies/preview", json=extreme)).json()
    assert "bounds" in {v["code"] for v in refused["gate"]}


async def test_examples_say_where_each_item_was(ranking: Desk) -> None:
    sent = {"scenario": "home_feed", "weights": {"gmv": 1.0}}
    examples = (await ranking.client.post("/v1/policies/preview", json=sent)).json()["examples"]
    assert len(examples) == 2
    for example in examples:
        was = {item["item_id"]: slot for slot, item in enumerate(example["before"])}
        assert [item["was"] for item in example["after"]] == [was.get(i["item_id"]) for i in example["after"]]


async def test_nothing_of_it_is_kept(ranking: Desk, body: dict[str, Any]) -> None:
    before = await ranking.actions()
    await ranking.client.post("/v1/rerank", json={**body, "weights": EVEN})
    await ranking.client.post("/v1/policies/preview", json={"scenario": "home_feed", "weights": EDITED})
    assert await ranking.actions() == before


async def test_the_page_on_ranking_shows_a_request_that_is_answered(ranking: Desk) -> None:
    page = (Path(__file__).parents[2] / "docs" / "rerank.md").read_text("utf-8")
    sent = json.loads(page.partition("```json\n")[2].partition("```")[0])
    answer = (await ranking.client.post("/v1/rerank", json=sent)).json()
    assert answer["slate"][1] == "i2"
    assert answer["unknown"] == []
    for field in answer.keys() - {"scenario", "segment"}:
        assert f"`{field}`" in page
