from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from reward_llm.api import ApiConfig
from reward_llm.api.edge.config import EdgeConfig
from reward_llm.domain.access import AccessMode, Grant, Role
from tests.api.callers import office
from tests.api.harness import EDITED, SCENARIOS, Desk, Setup, assert_problem
from tests.strategies import HOME_FEED

FLAGS = "/ofrep/v1/evaluate/flags"
FLAG = f"{FLAGS}/home_feed"
SCALARS = (bool, int, float, str)
HALF = [f"u-{i}" for i in range(40)]
"""Users of whom a rollout of 50 % takes some."""
UNREADABLE = {
    "not JSON": b"{",
    "a list": b"[]",
    "a number": b"1",
    "trailing text": b"{} {}",
    "a key twice": b'{"context":{"segment":"new_user","segment":null}}',
    "NaN": b'{"context":{"x":NaN}}',
    "UTF-16": '{"context":{}}'.encode("utf-16"),
    "nesting": b'{"context":' + b"[" * 50_000,
}
UNUSABLE = {
    "a context that is a list": {"context": []},
    "a context that is text": {"context": "u-17"},
    "a key that is a number": {"context": {"targetingKey": 17}},
    "a key that is too long": {"context": {"targetingKey": "u" * 201}},
    "a segment that is a list": {"context": {"segment": ["new_user"]}},
    "a segment that there isn't": {"context": {"segment": "vip"}},
    "a segment that UTF-8 doesn't have": {"context": {"segment": "\ud800"}},
}


async def evaluate(desk: Desk, **context: Any) -> dict[str, Any]:
    answer = await desk.client.post(FLAG, json={"context": context})
    assert answer.status_code == 200, answer.text
    evaluation: dict[str, Any] = answer.json()
    return evaluation


async def reason(desk: Desk, **context: Any) -> str:
    return str((await evaluate(desk, **context))["reason"])


def assert_failure(answer: httpx.Response, status: int, code: str) -> str:
    """Check that an answer is a failure in the protocol's shape, and give its details."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    failure = answer.json()
    assert set(failure) - {"key"} == {"errorCode", "errorDetails"}
    assert failure["errorCode"] == code
    return str(failure["errorDetails"])


async def test_a_scenario_is_an_object_flag(desk: Desk) -> None:
    policy = await desk.edit()
    await desk.activate(policy["policy_id"])
    answer = await desk.client.post(FLAG, json={"context": {"targetingKey": "u-17", "email": "u@example.org"}})
    weights = await desk.weights(unit="u-17")
    flag = answer.json()
    assert set(flag) == {"key", "reason", "variant", "value", "metadata"}
    assert (flag["key"], flag["variant"]) == ("home_feed", policy["policy_id"])
    assert flag["value"] == {k: weights[k] for k in ("policy_id", "version", "utilities", "weights", "vector")}
    assert flag["value"]["weights"] == EDITED
    assert answer.headers["cache-control"] == "no-cache"


async def test_metadata_is_flat_and_says_where_the_weights_come_from(desk: Desk) -> None:
    fallback = await evaluate(desk)
    assert set(fallback["metadata"]) == {"revision", "source", "rule", "stale", "age_s"}
    policy = await desk.edit()
    until = "2026-06-19T00:00:00Z"
    activation = (await desk.activate(policy["policy_id"], until=until, percent=100)).json()
    answer = await desk.client.post(FLAG, json={})
    metadata = answer.json()["metadata"]
    assert all(isinstance(v, SCALARS) for v in metadata.values())
    assert metadata.pop("age_s") >= 0
    assert metadata.pop("revision") > fallback["metadata"]["revision"]
    assert metadata == {
        "source": "human",
        "rule": "scenario",
        "stale": False,
        "activation": activation["sequence"],
        "percent": 100.0,
        "valid_until": until,
    }
    assert answer.headers["weights-revision"] == str(answer.json()["metadata"]["revision"])
    assert answer.headers["weights-stale"] == "false"
    assert float(answer.headers["weights-age"]) >= 0


async def test_the_reason_says_how_the_weights_were_chosen(desk: Desk) -> None:
    assert await reason(desk) == "DEFAULT"
    await desk.activate((await desk.edit())["policy_id"])
    assert await reason(desk) == await reason(desk, segment="new_user") == "STATIC"
    await desk.activate((await desk.edit(segment="new_user"))["policy_id"])
    assert (await reason(desk), await reason(desk, segment="new_user")) == ("STATIC", "TARGETING_MATCH")
    frozen = await desk.client.post("/v1/scopes/home_feed/-/freeze", json={"frozen": True, "reason": "an incident"})
    assert frozen.status_code == 200, frozen.text
    assert await reason(desk) == await reason(desk, segment="new_user") == "DISABLED"


async def test_a_partial_rollout_splits_as_it_does_for_units(desk: Desk) -> None:
    policy = await desk.edit()
    await desk.activate(policy["policy_id"], percent=50)
    flags = {key: await evaluate(desk, targetingKey=key) for key in HALF}
    assert {(f["reason"], f["variant"] == policy["policy_id"]) for f in flags.values()} == {
        ("SPLIT", True),
        ("DEFAULT", False),
    }
    for key, flag in flags.items():
        assert flag["variant"] == (await desk.weights(unit=key))["policy_id"]
    nobody = [{}, {"targetingKey": None}, {"targetingKey": ""}]
    assert {await reason(desk, **context) for context in nobody} == {"DEFAULT"}


async def test_old_weights_are_told_from_fresh_ones(desk: Desk, setup: Setup) -> None:
    await desk.activate((await desk.edit())["policy_id"])
    fresh = await desk.client.post(FLAGS, json={})
    setup.take_the_store_away()
    await asyncio.sleep(0.1)
    desk.clock.advance(11)
    flag = await evaluate(desk)
    assert (flag["reason"], flag["metadata"]["stale"], flag["metadata"]["rule"]) == ("STALE", True, "scenario")
    assert flag["metadata"]["age_s"] >= 11
    stale = await desk.client.post(FLAGS, json={}, headers={"If-None-Match": fresh.headers["etag"]})
    assert (stale.status_code, stale.json()["metadata"]["stale"]) == (200, True)
    setup.bring_the_store_back()


@pytest.mark.parametrize("path", [FLAG, FLAGS])
async def test_a_context_may_be_left_out(desk: Desk, path: str) -> None:
    for body in (b"", b"{}", b'{"context":null}', b'{"context":{}}', b'{"context":{},"more":[1]}'):
        answer = await desk.client.post(path, content=body)
        assert answer.status_code == 200, (body, answer.text)


async def test_an_unknown_scenario_is_an_unknown_flag(desk: Desk) -> None:
    answer = await desk.client.post(f"{FLAGS}/home_fed", json={"context": {}})
    assert "home_feed" in assert_failure(answer, 404, "FLAG_NOT_FOUND")
    assert answer.json()["key"] == "home_fed"


@pytest.mark.parametrize("path", [FLAG, FLAGS])
async def test_a_body_that_isnt_an_object_is_a_parse_error(desk: Desk, path: str) -> None:
    for body in UNREADABLE.values():
        assert assert_failure(await desk.client.post(path, content=body), 400, "PARSE_ERROR")


async def test_a_context_that_cant_be_used_is_invalid(desk: Desk) -> None:
    for body in UNUSABLE.values():
        answer = await desk.client.post(FLAG, content=json.dumps(body))
        assert assert_failure(answer, 400, "INVALID_CONTEXT")
        assert answer.json()["key"] == "home_feed"
        bulk = await desk.client.post(FLAGS, content=json.dumps(body))
        if bulk.status_code != 200:
            assert assert_failure(bulk, 400, "INVALID_CONTEXT")
        else:
            assert {f["errorCode"] for f in bulk.json()["flags"]} == {"INVALID_CONTEXT"}


async def test_an_unknown_segment_is_told_the_known_ones(desk: Desk) -> None:
    answer = await desk.client.post(FLAG, json={"context": {"segment": "vip"}})
    details = assert_failure(answer, 400, "INVALID_CONTEXT")
    assert all(s.name in details for s in HOME_FEED.segments)


async def test_a_body_over_the_limit_is_refused(desk: Desk) -> None:
    answer = await desk.client.post(FLAG, json={"context": {"page": "x" * 70_000}})
    assert_problem(answer, 413, "body_too_large")


async def test_all_flags_are_what_each_of_them_is(desk: Desk) -> None:
    await desk.activate((await desk.edit())["policy_id"], percent=50)
    body = {"context": {"targetingKey": HALF[0]}}
    bulk = (await desk.client.post(FLAGS, json=body)).json()
    assert [f["key"] for f in bulk["flags"]] == list(SCENARIOS)
    for flag in bulk["flags"]:
        single = (await desk.client.post(f"{FLAGS}/{flag['key']}", json=body)).json()
        assert single["metadata"].pop("age_s") >= flag["metadata"].pop("age_s")
        assert flag == single
    assert set(bulk["metadata"]) == {"revision", "stale", "age_s"}


async def test_a_scenario_without_the_segment_has_no_value_among_those_that_have_one(desk: Desk) -> None:
    bulk = (await desk.client.post(FLAGS, json={"context": {"segment": "night_owl"}})).json()
    flags = {f["key"]: f for f in bulk["flags"]}
    assert "value" in flags["video_feed"]
    assert set(flags["home_feed"]) == {"key", "errorCode", "errorDetails"}
    assert flags["home_feed"]["errorCode"] == "INVALID_CONTEXT"


async def test_flags_that_are_known_arent_sent_again(desk: Desk) -> None:
    first = await desk.client.post(FLAGS, json={})
    etag = first.headers["etag"]
    desk.clock.advance(1)
    again = await desk.client.post(FLAGS, json={}, headers={"If-None-Match": f"W/{etag}"})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert {"weights-age", "weights-stale", "weights-revision"} <= set(again.headers)
    other = await desk.client.post(FLAGS, json={"context": {"segment": "new_user"}}, headers={"If-None-Match": etag})
    assert other.status_code == 200
    await desk.activate((await desk.edit())["policy_id"])
    changed = await desk.client.post(FLAGS, json={}, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


async def test_the_etag_is_the_same_in_every_process(setup: Setup) -> None:
    async with setup.start() as one, setup.start() as other:
        await one.activate((await one.edit())["policy_id"])
        await other.board.refresh()
        tags = {(await d.client.post(FLAGS, json={})).headers["etag"] for d in (one, other)}
        assert len(tags) == 1


async def test_who_may_read_one_scenario_has_its_flag_alone(setup: Setup) -> None:
    async with office(setup) as at:
        token = await at.token(Grant(role=Role.VIEWER, scenario="home_feed"))
        bulk = await at.ask("POST", FLAGS, token, json={})
        assert [f["key"] for f in bulk.json()["flags"]] == ["home_feed"]
        assert (await at.ask("POST", FLAG, token, json={})).status_code == 200
        for unseen in ("video_feed", "home_fed"):
            assert_problem(await at.ask("POST", f"{FLAGS}/{unseen}", token, json={}), 403, "forbidden")
        assert_problem(await at.ask("POST", FLAG, json={}), 401, "unauthenticated")


async def test_evaluations_come_out_of_the_bucket_of_lookups(setup: Setup) -> None:
    edge = EdgeConfig(requests_per_minute=1, weights_per_minute=2)
    async with office(setup, ApiConfig(access=AccessMode.TOKENS, edge=edge)) as at:
        token = await at.token(Grant(role=Role.VIEWER))
        answers = [await at.ask("POST", path, token, json={}) for path in (FLAG, FLAGS, FLAG)]
        assert [a.status_code for a in answers] == [200, 200, 429]
        assert int(answers[-1].headers["retry-after"]) > 0


async def test_evaluations_are_counted_as_lookups(desk: Desk) -> None:
    await evaluate(desk)
    metrics = (await desk.client.get("/metrics")).text
    assert 'reward_llm_lookups_total{rule="default",scenario="home_feed"} 1.0' in metrics


async def test_the_interface_describes_failures_in_the_protocols_shape(desk: Desk) -> None:
    document = (await desk.client.get("/openapi.json")).json()
    for path, model in ((FLAGS, "BulkEvaluationFailure"), (f"{FLAGS}/{{scenario}}", "EvaluationFailure")):
        responses = document["paths"][path]["post"]["responses"]
        schema = responses["400"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": f"#/components/schemas/{model}"}
        assert set(responses["429"]["content"]) == {"application/problem+json"}
