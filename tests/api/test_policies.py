from __future__ import annotations

from typing import Any

import pytest

from tests.api.harness import EDIT, EDITED, Desk, assert_problem

FAR = {
    "click": 0.05,
    "gmv": 0.5,
    "satisfaction": 0.05,
    "retention": 0.15,
    "diversity": 0.05,
    "cold_start": 0.15,
    "group_order": 0.05,
}


async def test_a_persons_edit_becomes_a_policy(desk: Desk) -> None:
    response = await desk.client.post("/v1/policies", json=EDIT, headers={"X-Actor": "wang"})
    policy = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/v1/policies/{policy['policy_id']}"
    assert (policy["source"], policy["version"], policy["segment"]) == ("human", 1, None)
    assert policy["weights"] == EDITED
    assert policy["policy_id"] == f"pol_{policy['content_hash'][:20]}"
    assert (await desk.client.get(f"/v1/policies/{policy['policy_id']}")).json() == policy


@pytest.mark.parametrize(
    ("changes", "status", "code", "path"),
    [
        ({"weights": {**EDITED, "gmv": 0.6}}, 422, "gate_refused", "weights"),
        ({"weights": {**EDITED, "glitter": 0.0}}, 422, "gate_refused", "weights/glitter"),
        ({"weights": {}}, 422, "gate_refused", "weights/click"),
        ({"weights": {**EDITED, "retention": 0.05, "diversity": 0.15}}, 422, "gate_refused", "weights/retention"),
        ({"weights": {**EDITED, "gmv": -0.1, "click": 0.65}}, 422, "gate_refused", "weights/gmv"),
        ({"weights": FAR}, 422, "gate_refused", "weights"),
        ({"weights": {**EDITED, "gmv": "0.3"}}, 422, "invalid_input", "weights/gmv"),
        ({"weights": None}, 422, "invalid_input", "weights"),
        ({"reason": ""}, 422, "invalid_input", "reason"),
        ({"reason": " \x00"}, 422, "invalid_input", "reason"),
        ({"reason": "x" * 1_001}, 422, "invalid_input", "reason"),
        ({"note": "x"}, 422, "invalid_input", "note"),
        ({"scenario": "home_fed"}, 404, "scenario_unknown", None),
        ({"segment": "vip"}, 404, "segment_unknown", None),
    ],
)
async def test_an_edit_passes_the_gate_or_is_refused(
    desk: Desk, changes: dict[str, Any], status: int, code: str, path: str | None
) -> None:
    problem = assert_problem(await desk.client.post("/v1/policies", json={**EDIT, **changes}), status, code)
    if path:
        assert path in {v["path"] for v in problem["violations"]}
    assert await desk.actions() == ["policy.refused"]


async def test_an_activation_is_served_at_once(desk: Desk) -> None:
    policy = await desk.edit()
    response = await desk.activate(policy["policy_id"])
    assert response.status_code == 200
    activation = response.json()
    assert activation["policy"].items() <= policy.items()
    assert (activation["from"], activation["until"], activation["percent"]) == (None, None, 100)
    assert (activation["state"], activation["revision"], activation["ended"]) == ("running", 1, None)
    served = await desk.weights("new_user")
    assert (served["policy_id"], served["rule"], served["weights"]) == (policy["policy_id"], "scenario", EDITED)


async def test_an_activation_holds_in_its_window(desk: Desk) -> None:
    policy = await desk.edit(segment="new_user")
    response = await desk.activate(
        policy["policy_id"], **{"from": "2026-06-18T13:00:00Z", "until": "2026-06-18T22:00:00+08:00", "percent": 100}
    )
    assert (response.json()["from"], response.json()["until"]) == ("2026-06-18T13:00:00Z", "2026-06-18T14:00:00Z")
    assert (await desk.weights("new_user"))["valid_until"] == "2026-06-18T13:00:00Z"
    desk.clock.advance(3_600)
    served = await desk.weights("new_user")
    assert (served["rule"], served["valid_until"]) == ("segment", "2026-06-18T14:00:00Z")
    assert (await desk.weights())["rule"] == "default"
    desk.clock.advance(3_600)
    assert (await desk.weights("new_user"))["rule"] == "default"


@pytest.mark.parametrize(
    ("request_body", "path"),
    [
        ({"percent": 101}, "percent"),
        ({"percent": 0}, "percent"),
        ({"conflicts": "ignore"}, "conflicts"),
        ({"percent": True}, "percent"),
        ({"until": "2026-06-18T11:00:00Z"}, "until"),
        ({"from": "soon"}, "from"),
        ({"valid_from": "2026-06-18T11:00:00Z"}, "valid_from"),
    ],
)
async def test_an_activation_that_cant_be_done_is_refused(
    desk: Desk, request_body: dict[str, Any], path: str
) -> None:
    policy = await desk.edit()
    response = await desk.activate(policy["policy_id"], **request_body)
    problem = assert_problem(response, 422, "invalid_input")
    assert problem["violations"][0]["path"] == path
    assert (await desk.actions())[0] == "activation.refused"


async def test_an_unknown_policy_is_not_found(desk: Desk) -> None:
    assert_problem(await desk.client.get("/v1/policies/pol_none"), 404, "policy_unknown")
    assert_problem(await desk.activate("pol_none"), 404, "policy_unknown")


async def test_an_activation_too_far_from_what_is_active_is_refused(desk: Desk) -> None:
    one_way = await desk.edit(weights={**EDITED, "click": 0.05, "gmv": 0.5})
    other_way = await desk.edit(weights={**EDITED, "click": 0.5, "gmv": 0.05})
    for policy in (one_way, other_way):
        await desk.approve(policy)
    assert (await desk.activate(one_way["policy_id"])).status_code == 200
    problem = assert_problem(await desk.activate(other_way["policy_id"]), 422, "gate_refused")
    assert problem["violations"][0]["code"] == "step"


async def test_what_was_active_before_can_always_be_rolled_back_to(desk: Desk) -> None:
    home = await desk.edit(weights={**EDITED, "click": 0.05, "gmv": 0.5})
    middle = await desk.edit(weights=EDITED)
    away = await desk.edit(weights={**EDITED, "click": 0.5, "gmv": 0.05})
    for policy in (home, middle, away):
        await desk.approve(policy)
    for policy in (home, middle, away, home):
        assert (await desk.activate(policy["policy_id"])).status_code == 200
    assert (await desk.weights())["policy_id"] == home["policy_id"]


async def test_policies_are_paged_and_filtered(desk: Desk) -> None:
    made = [await desk.edit(segment=s) for s in (None, "new_user", "new_user")]
    first = (await desk.client.get("/v1/policies?limit=2")).json()
    rest = (await desk.client.get(f"/v1/policies?limit=2&cursor={first['next_cursor']}")).json()
    assert [*first["items"], *rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None
    own = (await desk.client.get("/v1/policies?scenario=home_feed&segment=new_user")).json()["items"]
    assert [p["version"] for p in own] == [2, 1]
    assert (await desk.client.get("/v1/policies?scenario=video_feed")).json()["items"] == []
    assert_problem(await desk.client.get("/v1/policies?segment=new_user"), 422, "invalid_input")
