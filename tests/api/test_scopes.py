from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.harness import EDITED, Desk, assert_problem
from tests.strategies import HOME_FEED

OTHER = {**EDITED, "click": 0.24, "gmv": 0.31}
WHOLE = "/v1/scopes/home_feed/-"
NEW_USER = "/v1/scopes/home_feed/new_user"


async def in_force(desk: Desk, **changes: Any) -> str:
    policy_id: str = (await desk.edit(**changes))["policy_id"]
    response = await desk.activate(policy_id)
    assert response.status_code == 200, response.text
    desk.clock.advance(1)
    return policy_id


async def post(desk: Desk, path: str, **body: Any) -> Any:
    return await desk.client.post(path, json={"reason": "complaints", **body}, headers={"X-Actor": "li"})


async def state(desk: Desk, policy_id: str) -> str:
    return str((await desk.client.get(f"/v1/policies/{policy_id}")).json()["state"])


async def test_a_scope_shows_what_holds_what_lies_below_and_what_is_to_come(desk: Desk) -> None:
    first, second = await in_force(desk), await in_force(desk, weights=OTHER)
    third = await desk.edit()
    await desk.activate(third["policy_id"], **{"from": "2026-06-19T00:00:00Z"})
    response = await desk.client.get(WHOLE)
    scope = response.json()
    assert [a["policy"]["policy_id"] for a in scope["stack"]] == [second, first]
    assert [a["policy"]["policy_id"] for a in scope["coming"]] == [third["policy_id"]]
    assert (scope["served"]["policy_id"], scope["frozen"], scope["inherited"]) == (second, False, [])
    below = (await desk.client.get(NEW_USER)).json()
    assert [a["policy"]["policy_id"] for a in below["inherited"]] == [second, first]
    assert (below["segment"], below["stack"]) == ("new_user", [])
    assert (await desk.client.get(WHOLE)).headers["etag"] == response.headers["etag"]
    await post(desk, f"{WHOLE}/freeze", frozen=True)
    assert (await desk.client.get(WHOLE)).headers["etag"] != response.headers["etag"]


@pytest.mark.parametrize(
    ("path", "code"),
    [("/v1/scopes/home_fed/-", "scenario_unknown"), ("/v1/scopes/home_feed/vip", "segment_unknown")],
)
async def test_an_unknown_scope_is_not_found(desk: Desk, path: str, code: str) -> None:
    assert_problem(await desk.client.get(path), 404, code)
    assert_problem(await post(desk, f"{path}/rollback"), 404, code)
    assert_problem(await post(desk, f"{path}/freeze", frozen=True), 404, code)


async def test_a_rollback_brings_back_what_lies_below(desk: Desk) -> None:
    first, second = await in_force(desk), await in_force(desk, weights=OTHER)
    response = await post(desk, f"{WHOLE}/rollback")
    done = response.json()
    assert response.status_code == 200
    assert [(a["policy"]["policy_id"], a["ended"]["kind"], a["ended"]["by"]) for a in done["ended"]] == [
        (second, "rolled_back", "li")
    ]
    assert (done["activation"], done["scope"]["served"]["policy_id"]) == (None, first)
    assert (await desk.weights())["policy_id"] == first
    assert [await state(desk, p) for p in (second, first)] == ["rolled_back", "active"]
    assert (await post(desk, f"{WHOLE}/rollback")).status_code == 200
    assert (await desk.weights())["rule"] == "default"
    assert_problem(await post(desk, f"{WHOLE}/rollback"), 409, "not_rollbackable")


async def test_a_rollback_may_name_what_is_to_hold(desk: Desk) -> None:
    first, _, third = [await in_force(desk, weights=w) for w in (EDITED, OTHER, EDITED)]
    done = (await post(desk, f"{WHOLE}/rollback", to_policy=first)).json()
    assert done["activation"]["policy"]["policy_id"] == done["scope"]["served"]["policy_id"] == first
    assert await state(desk, third) == "rolled_back"
    draft = await desk.edit()
    refused = await post(desk, f"{WHOLE}/rollback", to_policy=draft["policy_id"])
    assert_problem(refused, 409, "not_rollbackable")
    assert_problem(await post(desk, f"{WHOLE}/rollback", to_policy="pol_none"), 404, "policy_unknown")
    assert (await desk.weights())["policy_id"] == first


async def test_a_rollback_goes_past_the_largest_step(desk: Desk) -> None:
    ids = []
    for weights in ({"click": 0.5, "gmv": 0.05}, {}, {"click": 0.05, "gmv": 0.5}):
        policy = await desk.edit(weights=EDITED | weights)
        await desk.approve(policy)
        assert (await desk.activate(policy["policy_id"])).status_code == 200
        desk.clock.advance(1)
        ids.append(policy["policy_id"])
    done = await post(desk, f"{WHOLE}/rollback", to_policy=ids[0])
    assert done.json()["scope"]["served"]["policy_id"] == ids[0]


async def test_of_two_rollbacks_of_one_policy_at_once_one_takes_it_out(desk: Desk) -> None:
    first, second = await in_force(desk), await in_force(desk, weights=OTHER)
    both = await asyncio.gather(*(post(desk, f"{WHOLE}/rollback", from_policy=second) for _ in range(2)))
    done, refused = sorted(both, key=lambda r: r.status_code)
    assert (done.status_code, done.json()["scope"]["served"]["policy_id"]) == (200, first)
    assert f"{first} does" in assert_problem(refused, 409, "not_rollbackable")["detail"]
    assert (await desk.weights())["policy_id"] == first


async def test_a_rollback_is_made_once(desk: Desk) -> None:
    first, second = await in_force(desk), await in_force(desk, weights=OTHER)
    keyed = {"Idempotency-Key": "back"}
    sent = {"reason": "complaints"}
    both = [await desk.client.post(f"{WHOLE}/rollback", json=sent, headers=keyed) for _ in range(2)]
    assert [[a["policy"]["policy_id"] for a in r.json()["ended"]] for r in both] == [[second], [second]]
    assert (await desk.weights())["policy_id"] == first


async def test_a_frozen_scenario_serves_its_defaults_everywhere_until_it_is_unfrozen(desk: Desk) -> None:
    policy = await in_force(desk)
    own = await in_force(desk, segment="new_user", weights=OTHER)
    frozen = (await post(desk, f"{WHOLE}/freeze", frozen=True)).json()
    assert (frozen["frozen"], frozen["served"]["rule"]) == (True, "frozen")
    assert [(f["scenario"], f["segment"], f["by"], f["reason"]) for f in frozen["frozen_by"]] == [
        ("home_feed", None, "li", "complaints")
    ]
    for segment in (None, "new_user", "mature_user"):
        served = await desk.weights(segment, unit="u-1")
        assert (served["rule"], served["weights"]) == ("frozen", dict(HOME_FEED.defaults))
    assert (await desk.client.get(NEW_USER)).json()["frozen"]
    problem = assert_problem(await desk.activate(own), 409, "scope_frozen")
    assert "nfreeze" in problem["hint"]
    thawed = (await post(desk, f"{WHOLE}/freeze", frozen=False)).json()
    assert (thawed["frozen"], thawed["served"]["policy_id"]) == (False, policy)
    assert (await desk.weights("new_user"))["policy_id"] == own


async def test_freezing_a_segment_leaves_the_others(desk: Desk) -> None:
    policy = await in_force(desk)
    await post(desk, f"{NEW_USER}/freeze", frozen=True)
    assert (await desk.weights("new_user"))["rule"] == "frozen"
    assert [(await desk.weights(s))["policy_id"] for s in (None, "mature_user")] == [policy, policy]


async def test_what_is_frozen_already_stays_so_and_leaves_one_record(desk: Desk) -> None:
    both = [(await post(desk, f"{WHOLE}/freeze", frozen=True)).json() for _ in range(2)]
    assert both[0]["frozen_by"] == both[1]["frozen_by"]
    assert (await desk.actions()).count("scope.frozen") == 1


@pytest.mark.parametrize(
    ("name", "body", "path"),
    [
        ("rollback", {"reason": ""}, "reason"),
        ("rollback", {"to": "pol_1"}, "to"),
        ("freeze", {}, "frozen"),
        ("freeze", {"frozen": "yes"}, "frozen"),
        ("freeze", {"frozen": True, "reason": " "}, "reason"),
    ],
)
async def test_a_switch_that_says_too_little_is_refused(
    desk: Desk, name: str, body: dict[str, Any], path: str
) -> None:
    problem = assert_problem(await post(desk, f"{WHOLE}/{name}", **body), 422, "invalid_input")
    assert problem["violations"][0]["path"] == path
    assert (await desk.actions())[0] == f"{name}.refused"
