from __future__ import annotations

import asyncio

import pytest

from tests.api.harness import EDITED, SCENARIOS, Desk, Setup, assert_problem
from tests.strategies import HOME_FEED


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
    assert {k: v for k, v in one.items() if k not in {"stale", "age_s"}} == scopes["home_feed", "new_user"]


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
