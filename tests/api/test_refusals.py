from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reward_llm.api.refusals import excerpt
from tests.api.harness import GOAL, Desk, Setup, assert_problem


def body(**changes: Any) -> bytes:
    return json.dumps({**GOAL, **changes}).encode()


MALFORMED = {
    "nothing": b"",
    "not JSON": b"{",
    "trailing text": body() + b" and more",
    "UTF-16": body().decode().encode("utf-16"),
    "GBK": '{"scenario":"home_feed","text":"提升点击"}'.encode("gbk"),
    "NaN": b'{"scenario":"home_feed","text":"x","targets":{"gmv":NaN}}',
    "infinity": b'{"scenario":"home_feed","text":"x","targets":{"gmv":-Infinity}}',
    "a number beyond floats": b'{"scenario":"home_feed","text":"x","targets":{"gmv":1e400}}',
    "an integer beyond floats": b'{"scenario":"home_feed","text":"x","targets":{"gmv":' + b"9" * 5_000 + b"}}",
    "a key twice": b'{"scenario":"home_feed","text":"a","text":"b"}',
    "nesting": b"[" * 60_000,
}
UNUSABLE = {
    "a list": b"[]",
    "a string": b'"raise clicks"',
    "no text": b'{"scenario":"home_feed"}',
    "no scenario": b'{"text":"raise clicks"}',
    "an unknown field": body(weight=1),
    "a field that UTF-8 doesn't have": body(**{"\ud800": 1}),
    "text that is a number": body(text=5),
    "text that is empty": body(text=""),
    "text that is blank": body(text=" \n\t\u3000"),
    "text that is empty once cleaned": body(text="\x00\u202e\ud800"),
    "text that is too long": body(text="raise clicks " * 400),
    "targets that are a list": body(targets=[]),
    "a target that is a string": body(targets={"gmv": "1"}),
    "a target that is true": body(targets={"gmv": True}),
    "a target that is null": body(targets={"gmv": None}),
    "a target of another utility": body(targets={"glitter": 1}),
    "a window that ends before it starts": body(
        valid_from="2026-06-21T00:00:00Z", valid_until="2026-06-18T00:00:00Z"
    ),
    "a window that ends as it starts": body(
        valid_from="2026-06-21T00:00:00Z", valid_until="2026-06-21T08:00:00+08:00"
    ),
    "a time without an offset": body(valid_from="2026-06-21T00:00:00"),
    "a time that is a number": body(valid_from=1_750_000_000),
    "a time that isn't one": body(valid_from="tomorrow"),
    "a time before time": body(valid_from="0001-01-01T00:00:00+08:00"),
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_body_that_isnt_json_is_refused(desk: Desk, sent: bytes) -> None:
    response = await desk.client.post("/v1/goals", content=sent)
    assert_problem(response, 400, "body_malformed")
    assert await desk.actions() == ["goal.refused"]


@pytest.mark.parametrize("sent", UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_a_goal_that_cant_be_used_is_refused(desk: Desk, sent: bytes) -> None:
    response = await desk.client.post("/v1/goals", content=sent)
    problem = assert_problem(response, 422, "goal_invalid")
    assert problem.get("violations") or problem.get("hint")
    assert await desk.actions() == ["goal.refused"]


async def test_violations_say_where(desk: Desk) -> None:
    response = await desk.client.post("/v1/goals", content=body(targets={"gmv": "1"}, weight=1))
    violations = assert_problem(response, 422, "goal_invalid")["violations"]
    assert {v["path"] for v in violations} == {"targets/gmv", "weight"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scenario": "home_fed"}, "scenario_unknown"),
        ({"scenario": "\ud800"}, "scenario_unknown"),
        ({"segment": "vip"}, "segment_unknown"),
        ({"segment": ""}, "segment_unknown"),
    ],
)
async def test_an_unknown_scope_is_not_found(desk: Desk, changes: dict[str, str], code: str) -> None:
    problem = assert_problem(await desk.client.post("/v1/goals", content=body(**changes)), 404, code)
    assert "hint" in problem
    assert await desk.actions() == ["goal.refused"]


async def test_a_body_over_the_limit_is_refused(desk: Desk) -> None:
    response = await desk.client.post("/v1/goals", content=body(text="x" * 64_000))
    assert_problem(response, 413, "body_too_large")
    (record,) = (await desk.client.get("/v1/audit")).json()["items"]
    assert len(record["details"]["body"]) == 2_000


@pytest.mark.parametrize(
    "headers",
    [
        {"Idempotency-Key": ""},
        {"Idempotency-Key": "k" * 201},
        {"Idempotency-Key": b"\xe7\x8e\x8b"},
        {"X-Actor": " "},
        {"X-Actor": "a" * 101},
        {"X-Actor": b"a\x7fb"},
    ],
)
async def test_a_header_that_cant_be_used_is_refused(desk: Desk, headers: dict[str, str]) -> None:
    problem = assert_problem(await desk.client.post("/v1/goals", json=GOAL, headers=headers), 422, "invalid_input")
    assert problem["violations"][0]["path"] in headers
    assert await desk.actions() == ["goal.refused"]


async def test_waiting_is_a_yes_or_a_no(desk: Desk) -> None:
    assert_problem(await desk.client.post("/v1/goals?wait=maybe", json=GOAL), 422, "invalid_input")
    assert await desk.actions() == ["goal.refused"]


async def test_a_refusal_is_on_record_with_what_was_sent(desk: Desk) -> None:
    await desk.client.post("/v1/goals", content=b'{"text": "\xff\x00"', headers={"X-Actor": "wang"})
    (record,) = (await desk.client.get("/v1/audit")).json()["items"]
    assert (record["actor"], record["action"]) == ("wang", "goal.refused")
    assert record["details"]["code"] == "body_malformed"
    assert record["details"]["body"] == '{"text": "\\xff\\x00"'
    assert "isn't UTF-8" in record["details"]["detail"]


@pytest.mark.parametrize(
    "sent",
    [
        {"url": "https://me:hunter2@hooks.example/in"},
        {"url": "https://hooks.example/in", "secret": "hunter2"},
        {"url": "https://hooks.example/in", "headers": {"Authorization": "Bearer hunter2"}},
        {"url": "https://hooks.example/in", "whsec_hunter2": 1},
        {"description": "x" * 1_951, "url": "https://me:hunter2@hooks.example/in"},
    ],
)
async def test_a_secret_that_was_refused_is_not_on_record(desk: Desk, sent: dict[str, Any]) -> None:
    response = await desk.client.post("/v1/webhooks", json=sent)
    assert response.status_code == 422
    (record,) = (await desk.client.get("/v1/audit")).json()["items"]
    assert record["action"] == "webhook.refused"
    assert "hunter" not in json.dumps(record)


async def test_a_refusal_is_answered_while_the_store_is_away(desk: Desk, setup: Setup) -> None:
    setup.take_the_store_away()
    assert_problem(await desk.client.post("/v1/goals", content=b"{"), 400, "body_malformed")


async def test_a_goal_is_never_taken_in_while_the_store_is_away(desk: Desk, setup: Setup) -> None:
    setup.take_the_store_away()
    response = await desk.client.post("/v1/goals", json=GOAL)
    assert_problem(response, 503, "store_unavailable")
    assert int(response.headers["retry-after"]) > 0
    setup.bring_the_store_back()
    assert (await desk.submit())["state"] == "proposed"


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.binary(max_size=200) | st.text(max_size=100).map(lambda t: body(text=t)))
async def test_any_body_gets_an_answer(desk: Desk, sent: bytes) -> None:
    response = await desk.client.post("/v1/goals", content=sent)
    if response.status_code != 201:
        assert response.status_code in {400, 422}
        assert response.json()["code"] in {"body_malformed", "goal_invalid"}


@given(sent=st.binary(max_size=12_000))
def test_an_excerpt_can_be_kept_by_any_database(sent: bytes) -> None:
    kept = excerpt(sent)
    assert len(kept) <= 2_000
    assert "\0" not in kept
    kept.encode("utf-8")


async def test_a_body_that_breaks_off_is_no_submission(desk: Desk) -> None:
    messages: list[MutableMapping[str, Any]] = [
        {"type": "http.request", "body": b'{"scen', "more_body": True},
        {"type": "http.disconnect"},
    ]
    arriving = iter(messages)
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return next(arriving)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/goals",
        "query_string": b"",
        "headers": [],
    }
    await desk.app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert await desk.actions() == []
