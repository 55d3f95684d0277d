from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from reward_llm.store.database import Database
from reward_llm.store.outbox import SqlOutbox
from reward_llm.store.sealing import Sealer
from tests.api.harness import EDIT, Desk, Setup, assert_problem
from tests.receivers import answer, receiver
from tests.webhooks import Clock, dispatcher, sent

URL = "https://hooks.invalid/in"
KEY = {"Idempotency-Key": "first"}


async def add(desk: Desk, **wanted: Any) -> dict[str, Any]:
    response = await desk.client.post("/v1/webhooks", json={"url": URL, "actions": ["policy."], **wanted})
    assert response.status_code == 201, response.text
    assert response.headers["cache-control"] == "no-store"
    made: dict[str, Any] = response.json()
    return made


async def patch(desk: Desk, webhook: dict[str, Any], etag: str | None, **wanted: Any) -> httpx.Response:
    headers = {"If-Match": etag} if etag else {}
    return await desk.client.patch(f"/v1/webhooks/{webhook['id']}", json=wanted, headers=headers)


async def deliveries(desk: Desk, webhook: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    response = await desk.client.get(f"/v1/webhooks/{webhook['id']}/deliveries", params=query)
    items: list[dict[str, Any]] = response.json()["items"]
    return items


async def test_the_secret_is_shown_when_it_is_made_and_nowhere_again(desk: Desk) -> None:
    made = await add(desk, reason="for the wall")
    assert made["secret"].startswith("whsec_")
    got = await desk.client.get(f"/v1/webhooks/{made['id']}")
    assert got.headers["etag"] == '"1"'
    assert got.json() == {k: v for k, v in made.items() if k != "secret"}
    listed = await desk.client.get("/v1/webhooks")
    assert listed.json()["items"] == [got.json()]
    log = await desk.client.get("/v1/audit")
    assert log.json()["items"][0]["action"] == "webhook.created"
    assert made["secret"].removeprefix("whsec_") not in log.text + listed.text


async def test_the_same_request_twice_makes_one_webhook_and_shows_no_secret_again(desk: Desk) -> None:
    first = await desk.client.post("/v1/webhooks", json={"url": URL}, headers=KEY)
    second = await desk.client.post("/v1/webhooks", json={"url": URL}, headers=KEY)
    assert second.json() == first.json() | {"secret": None}


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"url": "http://hooks.invalid/"}, None),
        ({"url": "https://169.254.169.254/latest"}, "webhook_url_refused"),
        ({"url": "ftp://hooks.invalid/"}, "webhook_url_refused"),
        ({"url": "https://ann:pw@hooks.invalid/"}, "webhook_url_refused"),
        ({"url": ""}, "invalid_input"),
        ({"actions": ["Policy."]}, "invalid_input"),
        ({"actions": ["policy..x"]}, "invalid_input"),
        ({"secret": "whsec_mine"}, "invalid_input"),
        ({"active": False}, "invalid_input"),
    ],
)
async def test_a_webhook_that_cant_be_is_refused_on_record(
    desk: Desk, wanted: dict[str, Any], code: str | None
) -> None:
    response = await desk.client.post("/v1/webhooks", json={"url": URL, **wanted})
    if code is None:
        assert response.status_code == 201
        return
    assert_problem(response, 422, code)
    assert (await desk.actions())[0] == "webhook.refused"


async def test_a_scenario_that_there_isnt_is_refused(desk: Desk) -> None:
    response = await desk.client.post("/v1/webhooks", json={"url": URL, "scenario": "nowhere"})
    assert_problem(response, 404, "scenario_unknown")


async def test_a_change_names_the_version_that_it_is_meant_for(desk: Desk) -> None:
    made = await add(desk)
    assert_problem(await patch(desk, made, None, active=False), 428, "precondition_required")
    changed = await patch(desk, made, '"1"', description="the wall", actions=["goal."], reason="moved")
    assert changed.headers["etag"] == '"2"'
    assert changed.json() | {"description": "", "actions": ["policy."]} == changed.json() | {
        k: made[k] for k in ("description", "actions")
    }
    refused = (await patch(desk, made, '"1"', description="the door", active=True)).json()
    assert (refused["status"], refused["code"]) == (412, "precondition_failed")
    assert refused["current"]["description"] == "the wall"
    assert refused["differences"] == [{"path": "description", "yours": "the door", "current": "the wall"}]


async def test_what_is_left_out_stays_and_null_means_every_scenario(desk: Desk) -> None:
    made = await add(desk, scenario="home_feed", description="the wall")
    changed = (await patch(desk, made, '"1"', scenario=None)).json()
    assert (changed["scenario"], changed["description"], changed["url"]) == (None, "the wall", URL)
    for name in ("url", "description", "actions", "active"):
        assert_problem(await patch(desk, made, '"2"', **{name: None}), 422, "invalid_input")


async def test_a_change_to_where_nothing_is_sent_is_refused_but_ending_it_isnt(desk: Desk) -> None:
    made = await add(desk)
    refused = await patch(desk, made, '"1"', url="https://169.254.169.254/")
    assert_problem(refused, 422, "webhook_url_refused")
    ended = await patch(desk, made, '"1"', active=False)
    assert ended.json()["active"] is False
    response = await desk.client.post(f"/v1/webhooks/{made['id']}/test")
    assert_problem(response, 409, "webhook_inactive")


async def test_a_rotation_makes_a_new_secret_for_the_version_that_it_is_meant_for(desk: Desk) -> None:
    made = await add(desk)
    path = f"/v1/webhooks/{made['id']}/secret-rotation"
    assert_problem(await desk.client.post(path), 428, "precondition_required")
    rotated = await desk.client.post(path, headers={"If-Match": '"1"'}, json={"overlap_hours": 1})
    assert rotated.json()["secret"] not in {made["secret"], None}
    assert rotated.json()["two_secrets_until"] is not None
    stale = await desk.client.post(path, headers={"If-Match": '"1"'})
    assert stale.json()["code"] == "precondition_failed"
    at_once = await desk.client.post(path, headers={"If-Match": '"2"'}, json={"overlap_hours": 0})
    assert at_once.json()["two_secrets_until"] is None


@pytest.mark.parametrize("path", ["webhooks/none", "webhooks/none/deliveries"])
async def test_an_unknown_webhook_is_not_found(desk: Desk, path: str) -> None:
    assert_problem(await desk.client.get(f"/v1/{path}"), 404, "webhook_unknown")


async def test_an_unknown_delivery_is_not_found(desk: Desk) -> None:
    response = await desk.client.post("/v1/webhooks/deliveries/none/redelivery")
    assert_problem(response, 404, "delivery_unknown")


async def sent_from(setup: Setup) -> None:
    """What the service's own dispatcher does."""
    database = Database.open(setup.url)
    try:
        async with dispatcher(SqlOutbox(database, Sealer()), Clock()) as made:
            await sent(made)
    finally:
        await database.aclose()


async def test_an_edit_reaches_its_subscriber_with_its_patch(desk: Desk, setup: Setup) -> None:
    async with receiver() as hook:
        made = await add(desk, url=hook.url, scenario="home_feed")
        policy = await desk.edit()
        await sent_from(setup)
        (received,) = hook.requests
        event = Webhook(made["secret"]).verify(received.body, received.headers)
    assert event["type"] == "reward-llm.policy.edited"
    assert event["subject"] == policy["policy_id"]
    assert event["data"]["reason"] == EDIT["reason"]
    assert any(op["path"] == f"/policies/{policy['policy_id']}" for op in event["data"]["patch"])
    (delivery,) = await deliveries(desk, made)
    assert (delivery["state"], delivery["event_id"]) == ("delivered", received.event_id)
    assert [(a["status"], a["error"]) for a in delivery["attempts"]] == [(204, None)]
    assert await deliveries(desk, made, state="dead") == []


async def test_a_failed_test_is_listed_and_sent_again_by_hand(desk: Desk, setup: Setup) -> None:
    async with receiver(answer(503), answer(200)) as hook:
        made = await add(desk, url=hook.url)
        tried = await desk.client.post(f"/v1/webhooks/{made['id']}/test", json={"reason": "is it there?"})
        assert (tried.status_code, tried.json()["action"]) == (202, "webhook.tested")
        await sent_from(setup)
        (failed,) = await deliveries(desk, made, state="pending")
        assert failed["attempts"][0]["status"] == 503
        assert failed["next_try_at"] is not None
        again = await desk.client.post(f"/v1/webhooks/deliveries/{failed['id']}/redelivery")
        assert again.status_code == 202
        await sent_from(setup)
        assert len({r.event_id for r in hook.requests}) == 1
    assert [d["state"] for d in await deliveries(desk, made)] == ["delivered"]
    assert json.loads(hook.requests[0].body)["data"]["reason"] == "is it there?"
