from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from reward_llm.api.routes import events
from reward_llm.delivery.hub import HubConfig
from reward_llm.domain.access import Grant, Role
from tests.api.callers import ADMIN, Office, office
from tests.api.harness import Desk, Setup, assert_problem
from tests.api.streaming import stream
from tests.feeds import until

PATH = "/v1/weights/events"
QUICK = HubConfig(heartbeat_s=0.02)
FRESH_S = 10.0


@pytest.fixture
async def open_desk(setup: Setup) -> AsyncIterator[Desk]:
    async with setup.start(streams=QUICK) as desk:
        yield desk


@pytest.fixture
async def at_home(setup: Setup) -> AsyncIterator[Office]:
    async with office(setup, streams=QUICK) as opened:
        yield opened


async def snapshot_etag(desk: Desk, token: str | None = None, **query: object) -> str:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return (await desk.client.get("/v1/weights", params=query, headers=headers)).headers["ETag"].strip('"')


async def test_a_heartbeat_comes_at_once_with_the_entity_tag_of_the_snapshot(open_desk: Desk) -> None:
    async with stream(open_desk.app, PATH) as followed:
        assert followed.status == 200
        assert followed.headers["content-type"].partition(";")[0] == "text/event-stream"
        assert (followed.headers["cache-control"], followed.headers["x-accel-buffering"]) == ("no-cache", "no")
        assert "etag" not in followed.headers
        kind, told = await followed.event()
        assert kind == "heartbeat"
        assert set(told) == {"revision", "etag", "as_of", "stale", "age_s", "every_s"}
        assert (told["etag"], told["revision"]) == (await snapshot_etag(open_desk), 0)
        assert (told["stale"], told["every_s"]) == (False, 0.02)
        assert datetime.fromisoformat(told["as_of"]).utcoffset() is not None


async def test_a_change_is_told_once_and_is_what_the_snapshot_then_is(open_desk: Desk) -> None:
    async with stream(open_desk.app, PATH) as followed:
        _, before = await followed.event()
        policy = await open_desk.edit()
        assert (await open_desk.activate(policy["policy_id"])).is_success
        changed = await followed.until("changed")
        assert (changed["etag"], changed["revision"]) == (await snapshot_etag(open_desk), 1)
        assert changed["etag"] != before["etag"]
        kinds = {(await followed.event())[0] for _ in range(3)}
        assert kinds == {"heartbeat"}


async def test_a_small_change_comes_with_its_notice(open_desk: Desk) -> None:
    async with stream(open_desk.app, PATH) as followed:
        _, before = await followed.event()
        policy = await open_desk.edit()
        assert (await open_desk.activate(policy["policy_id"])).is_success
        changed = await followed.until("changed")
        held = (await open_desk.client.get("/v1/weights")).json()["items"]
        assert changed["from"] == before["etag"]
        assert changed["items"] == [item for item in held if item["scenario"] == "home_feed"]
        assert {item["policy_id"] for item in changed["items"]} == {policy["policy_id"]}


async def test_one_may_follow_some_scenarios(open_desk: Desk) -> None:
    one, both = f"{PATH}?scenario=video_feed", f"{PATH}?scenario=video_feed&scenario=home_feed"
    async with stream(open_desk.app, one) as video, stream(open_desk.app, both) as all_:
        told = [(await s.event())[1]["etag"] for s in (video, all_)]
        assert told == [await snapshot_etag(open_desk, scenario="video_feed"), await snapshot_etag(open_desk)]
        policy = await open_desk.edit()
        await open_desk.activate(policy["policy_id"])
        await all_.until("changed")
        assert {(await video.event())[0] for _ in range(4)} == {"heartbeat"}


async def test_a_scenario_that_is_not_there_is_not_found(open_desk: Desk) -> None:
    async with stream(open_desk.app, f"{PATH}?scenario=home_fed") as refused:
        assert refused.status == 404
    async with stream(open_desk.app, f"{PATH}?scenario={'x' * 200}") as refused:
        assert refused.status == 422


async def test_who_follows_sees_what_they_may_see(at_home: Office) -> None:
    token = (await at_home.token(Grant(role=Role.VIEWER, scenario="video_feed"))).text
    async with stream(at_home.desk.app, PATH, token) as followed:
        _, told = await followed.event()
        assert told["etag"] == await snapshot_etag(at_home.desk, token)
        assert told["etag"] != await snapshot_etag(at_home.desk, (await at_home.token(ADMIN, name="root")).text)
    for scenario in ("home_feed", "home_fed"):
        async with stream(at_home.desk.app, f"{PATH}?scenario={scenario}", token) as refused:
            assert refused.status == 403
    async with stream(at_home.desk.app, PATH) as refused:
        assert refused.status == 401


async def test_a_stream_ends_with_the_token_that_opened_it(at_home: Office) -> None:
    token, root = await at_home.token(Grant(role=Role.VIEWER), name="ranker"), await at_home.token(ADMIN, name="root")
    async with (
        stream(at_home.desk.app, PATH, token.text) as followed,
        stream(at_home.desk.app, PATH, root.text) as other,
    ):
        await followed.event()
        path = f"/v1/tokens/{token.token.id}/revocation"
        assert (await at_home.ask("POST", path, root, json={"reason": "it leaked"})).is_success
        at_home.desk.clock.advance(FRESH_S)
        while await followed.event() is not None:
            pass
        assert followed.ended
        await other.until("heartbeat")


async def test_no_more_follow_than_may(setup: Setup) -> None:
    async with setup.start(streams=HubConfig(max_subscribers=1)) as desk:
        async with stream(desk.app, PATH) as first:
            await first.event()
            problem = assert_problem(await desk.client.get(PATH), 503, "too_many_subscribers")
            assert problem["hint"] == "Ask another process, or later."
            async with stream(desk.app, PATH) as refused:
                assert refused.headers["retry-after"] == "2"
                assert json.loads(refused.body)["detail"] == "1 follow the weights already"
            assert "reward_llm_subscribers 1.0" in (await desk.client.get("/metrics")).text
        async with stream(desk.app, PATH) as second:
            assert second.status == 200
        metrics = (await desk.client.get("/metrics")).text
        assert "reward_llm_subscribers 0.0" in metrics
        assert 'reward_llm_notices_total{event="heartbeat"}' in metrics
        assert 'reward_llm_feed_up{kind="polling"} 1.0' in metrics


async def test_who_hangs_up_before_the_first_notice_is_not_counted_for_ever(open_desk: Desk) -> None:
    for _ in range(20):
        async with stream(open_desk.app, PATH):
            pass
    assert open_desk.app.state.context.services.notices.subscribers == 0


async def test_who_takes_nothing_is_given_up_and_holds_up_nobody(
    open_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_PATIENCE_S", 0.2)
    notices = open_desk.app.state.context.services.notices
    async with stream(open_desk.app, PATH, stuck=True), stream(open_desk.app, PATH) as other:
        await until(lambda: notices.subscribers == 2)
        policy = await open_desk.edit()
        await open_desk.activate(policy["policy_id"])
        await other.until("changed")
        await until(lambda: notices.subscribers == 1)
        await other.until("heartbeat")


async def test_other_processes_are_told_of_every_write_that_changes_what_is_served(
    open_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []

    async def announce(revision: int) -> None:
        told.append(revision)

    monkeypatch.setattr(open_desk.app.state.context.services.feed, "announce", announce)
    policy = await open_desk.edit()
    assert told == []
    made = (await open_desk.activate(policy["policy_id"])).json()
    assert told == [1]
    ended = await open_desk.client.post(f"/v1/activations/{made['sequence']}/end", json={"reason": "over"})
    frozen = await open_desk.client.post("/v1/scopes/home_feed/-/freeze", json={"frozen": True, "reason": "stop"})
    assert ended.is_success
    assert frozen.is_success
    assert told == [1, 2, 3]


async def test_a_part_of_the_service_that_is_not_heard_is_told(desk: Desk) -> None:
    checks = (await desk.client.get("/readyz")).json()["checks"]
    assert checks["feed"] == {"ok": True, "detail": "polling: looks every 0.05 s"}


async def test_the_description_says_that_it_is_a_stream(desk: Desk) -> None:
    operation = (await desk.client.get("/openapi.json")).json()["paths"][PATH]["get"]
    assert set(operation["responses"]["200"]["content"]) == {"text/event-stream"}
    assert {"401", "403", "404", "422", "429", "503"} <= set(operation["responses"])
