from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta

import pytest

from reward_llm.api import ApiConfig
from reward_llm.api.catching_up import CatchingUp
from reward_llm.api.edge.config import EdgeConfig
from reward_llm.api.wire.weights import SnapshotWire, WeightsWire
from reward_llm.delivery.board import BoardConfig
from tests.api.harness import EDITED, SCENARIOS, Desk, Setup, assert_problem
from tests.strategies import HOME_FEED

SALE = {**EDITED, "gmv": 0.31, "click": 0.24}


async def test_the_defaults_are_served_while_nothing_is_active(desk: Desk) -> None:
    response = await desk.client.get("/v1/weights/home_feed?segment=new_user&unit=u-17")
    body = response.json()
    assert (body["scenario"], body["segment"], body["version"]) == ("home_feed", "new_user", 0)
    assert (body["source"], body["rule"], body["stale"]) == ("default", "default", False)
    assert body["utilities"] == list(HOME_FEED.utility_names)
    assert body["vector"] == [body["weights"][u] for u in body["utilities"]]
    assert body["weights"] == dict(HOME_FEED.defaults)
    assert body["age_s"] >= 0
    assert body["valid_until"] is None
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/weights/home_fed", "scenario_unknown"),
        ("/v1/weights/home_feed?segment=vip", "segment_unknown"),
        ("/v1/weights/%F0%9F%A6%84", "scenario_unknown"),
    ],
)
async def test_an_unknown_scope_is_not_found(desk: Desk, path: str, code: str) -> None:
    assert_problem(await desk.client.get(path), 404, code)


@pytest.mark.parametrize("form", ["{0}", "W/{0}", "*", '"other", {0}', '"a,b" , W/{0}, "c"'])
@pytest.mark.parametrize("path", ["/v1/weights/home_feed", "/v1/weights"])
async def test_what_is_known_isnt_sent_again(desk: Desk, path: str, form: str) -> None:
    first = await desk.client.get(path)
    etag = first.headers["etag"]
    assert etag.startswith('"')
    again = await desk.client.get(path, headers={"If-None-Match": form.format(etag)})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert again.headers["weights-stale"] == "false"
    assert again.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("tag", ['"other"', "W/", "nonsense", ""])
async def test_what_isnt_known_is_sent(desk: Desk, tag: str) -> None:
    response = await desk.client.get("/v1/weights/home_feed", headers={"If-None-Match": tag})
    assert response.status_code == 200


async def test_the_etag_changes_with_the_weights_and_not_with_the_age(desk: Desk) -> None:
    paths = ("/v1/weights/home_feed", "/v1/weights")
    before = [(await desk.client.get(p)).headers["etag"] for p in paths]
    desk.clock.advance(30)
    assert [(await desk.client.get(p)).headers["etag"] for p in paths] == before
    await desk.activate((await desk.edit())["policy_id"])
    after = [(await desk.client.get(p)).headers["etag"] for p in paths]
    assert all(a != b for a, b in zip(after, before, strict=True))


async def test_the_snapshot_has_every_scope(desk: Desk) -> None:
    await desk.activate((await desk.edit(segment="new_user"))["policy_id"])
    body = (await desk.client.get("/v1/weights")).json()
    scopes = {(i["scenario"], i["segment"]): i for i in body["items"]}
    assert set(scopes) == {(s.name, g) for s in SCENARIOS.values() for g in (None, *(x.name for x in s.segments))}
    assert scopes["home_feed", "new_user"]["weights"] == EDITED
    one = await desk.weights("new_user")
    shared = {k: v for k, v in one.items() if k not in {"stale", "age_s"}}
    assert shared == {k: scopes["home_feed", "new_user"][k] for k in shared}


async def test_weights_outlive_the_store(desk: Desk, setup: Setup) -> None:
    policy = await desk.edit()
    await desk.activate(policy["policy_id"])
    before = await desk.client.get("/v1/weights/home_feed")
    setup.take_the_store_away()
    await asyncio.sleep(0.1)
    desk.clock.advance(11)
    during = await desk.client.get("/v1/weights/home_feed")
    assert during.json()["policy_id"] == policy["policy_id"]
    assert during.json()["stale"]
    assert during.json()["age_s"] >= 11
    assert during.headers["etag"] == before.headers["etag"]
    unchanged = await desk.client.get("/v1/weights", headers={"If-None-Match": "*"})
    assert unchanged.headers["weights-stale"] == "true"
    setup.bring_the_store_back()
    await desk.board.refresh()
    assert not (await desk.weights())["stale"]


async def test_one_process_learns_what_another_activated(setup: Setup) -> None:
    async with setup.start() as one, setup.start() as other:
        await one.activate((await one.edit())["policy_id"])
        await asyncio.sleep(0.2)
        assert (await other.weights())["weights"] == EDITED


async def test_a_lookup_and_the_snapshot_are_what_their_models_describe(desk: Desk) -> None:
    await desk.activate((await desk.edit())["policy_id"], percent=30, until="2026-07-01T00:00:00Z")
    await desk.client.post("/v1/scopes/home_feed/new_user/freeze", json={"frozen": True, "reason": "stop"})
    for path, model in (("/v1/weights/home_feed?unit=u-1", WeightsWire), ("/v1/weights", SnapshotWire)):
        sent = await desk.client.get(path)
        again = json.loads(model.model_validate_json(sent.content).model_dump_json())
        assert again == sent.json()


async def test_the_snapshot_says_what_a_client_needs_to_go_on_by_itself(desk: Desk) -> None:
    base, sale = [await desk.edit(), await desk.edit(weights=SALE)]
    await desk.activate(base["policy_id"])
    await desk.activate(sale["policy_id"], **{"from": "2026-06-18T13:00:00Z", "until": "2026-06-18T14:00:00Z"})
    await desk.client.post("/v1/scopes/home_feed/new_user/freeze", json={"frozen": True, "reason": "stop"})
    body = (await desk.client.get("/v1/weights", params={"scenario": "home_feed"})).json()
    items = {i["segment"]: i for i in body["items"]}
    assert [a["policy_id"] for a in items[None]["activations"]] == [sale["policy_id"], base["policy_id"]]
    coming = items[None]["activations"][0]
    assert (coming["start"], coming["end"]) == ("2026-06-18T13:00:00Z", "2026-06-18T14:00:00Z")
    assert (coming["activation"], coming["percent"], coming["weights"]) == (2, 100, SALE)
    assert items["mature_user"]["activations"] == []
    assert [items[s]["frozen"] for s in (None, "new_user", "mature_user")] == [False, True, False]
    assert items["new_user"]["default"]["version"] == 0
    assert body["revision"] == 3
    assert body["as_of"].startswith("2026-06-18T12:00:00")


async def test_the_snapshot_of_some_scenarios(desk: Desk) -> None:
    both = {"scenario": ["video_feed", "home_feed"]}
    everything, same, one = [
        await desk.client.get("/v1/weights", params=p) for p in ({}, both, {"scenario": "video_feed"})
    ]
    assert everything.json()["items"] == same.json()["items"]
    assert everything.headers["etag"] == same.headers["etag"]
    assert {i["scenario"] for i in one.json()["items"]} == {"video_feed"}
    assert_problem(await desk.client.get("/v1/weights?scenario=home_fed"), 404, "scenario_unknown")


async def test_answers_of_the_snapshot_say_as_of_when_they_are(desk: Desk) -> None:
    answer = await desk.client.get("/v1/weights")
    assert answer.headers["weights-as-of"] == answer.json()["as_of"]
    desk.clock.advance(5)
    again = await desk.client.get("/v1/weights", headers={"If-None-Match": answer.headers["etag"]})
    later = datetime.fromisoformat(again.headers["weights-as-of"]) - datetime.fromisoformat(answer.json()["as_of"])
    assert again.status_code == 304
    assert timedelta(seconds=5) < later < timedelta(seconds=6)


async def test_every_answer_says_of_how_many_changes_it_knows(desk: Desk) -> None:
    paths = ("/v1/weights/home_feed", "/v1/weights")
    assert [(await desk.client.get(p)).headers["weights-revision"] for p in paths] == ["0", "0"]
    made = await desk.activate((await desk.edit())["policy_id"])
    for path in paths:
        answer = await desk.client.get(path)
        again = await desk.client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert answer.headers["weights-revision"] == again.headers["weights-revision"] == "1"
    await desk.client.post(f"/v1/activations/{made.json()['sequence']}/end", json={"reason": "over"})
    assert int((await desk.client.get("/v1/weights")).headers["weights-revision"]) == desk.board.revision


@pytest.mark.parametrize("path", ["/v1/weights/home_feed", "/v1/weights"])
async def test_who_knows_of_a_change_isnt_answered_without_it(setup: Setup, path: str) -> None:
    lazy = BoardConfig(refresh_s=60)
    async with setup.start(board=lazy) as one, setup.start(board=lazy) as other:
        await other.client.get(path)
        await one.activate((await one.edit())["policy_id"])
        assert (await other.client.get(path)).headers["weights-revision"] == "0"
        told = await other.client.get(path, headers={"Weights-At-Least": "1"})
        assert told.headers["weights-revision"] == "1"


@pytest.mark.parametrize("path", ["/v1/weights/home_feed", "/v1/weights"])
async def test_a_change_that_nobody_can_know_of_is_not_waited_for(desk: Desk, setup: Setup, path: str) -> None:
    ahead = {"Weights-At-Least": "99"}
    assert (await desk.client.get(path, headers=ahead)).headers["weights-revision"] == "0"
    setup.take_the_store_away()
    assert (await desk.client.get(path, headers=ahead)).status_code == 200
    setup.bring_the_store_back()
    assert_problem(await desk.client.get(path, headers={"Weights-At-Least": "many"}), 422, "invalid_input")


async def test_a_database_that_hangs_holds_nobody_up_for_long() -> None:
    class Hanging:
        revision = 0

        async def refresh(self) -> None:
            await asyncio.sleep(60)

    await asyncio.wait_for(CatchingUp(Hanging())(1), 30)


async def test_pages_of_other_sites_may_send_and_read_what_clients_do(setup: Setup) -> None:
    origin = "https://console.example.org"
    async with setup.start(config=ApiConfig(edge=EdgeConfig(cors_origins=(origin,)))) as desk:
        asks = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        asks["Access-Control-Request-Headers"] = "weights-at-least"
        assert (await desk.client.options("/v1/weights", headers=asks)).status_code == 200
        answer = await desk.client.get("/v1/weights", headers={"Origin": origin})
        assert "Weights-Revision" in answer.headers["access-control-expose-headers"]
