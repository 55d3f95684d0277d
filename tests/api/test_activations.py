from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.harness import EDITED, Desk, assert_problem

OTHER = {**EDITED, "click": 0.24, "gmv": 0.31}
ONE = {"from": "2026-06-18T13:00:00Z", "until": "2026-06-18T14:00:00Z"}
TWO = {"from": "2026-06-18T13:30:00Z", "until": "2026-06-18T15:00:00Z"}
HALF_HOUR_S = 1_800


async def active(desk: Desk, **window: Any) -> dict[str, Any]:
    policy = await desk.edit(weights=OTHER)
    response = await desk.activate(policy["policy_id"], **window)
    assert response.status_code == 200, response.text
    activation: dict[str, Any] = response.json()
    return activation


async def patch(desk: Desk, sequence: int, revision: str | None, **changes: Any) -> Any:
    headers = {} if revision is None else {"If-Match": revision}
    return await desk.client.patch(f"/v1/activations/{sequence}", json=changes, headers=headers)


async def end(desk: Desk, sequence: int, **headers: str) -> Any:
    return await desk.client.post(f"/v1/activations/{sequence}/end", json={"reason": "enough"}, headers=headers)


async def test_a_promotion_ends_and_the_earlier_policy_returns(desk: Desk) -> None:
    base = await desk.edit()
    await desk.activate(base["policy_id"])
    sale = await active(desk, **ONE)
    seen = []
    for _ in range(4):
        seen.append((await desk.weights())["policy_id"])
        desk.clock.advance(HALF_HOUR_S)
    seen.append((await desk.weights())["policy_id"])
    sold = sale["policy"]["policy_id"]
    assert seen == [base["policy_id"], base["policy_id"], sold, sold, base["policy_id"]]
    states = [(await desk.client.get(f"/v1/policies/{p}")).json()["state"] for p in (sold, base["policy_id"])]
    assert states == ["expired", "active"]


async def test_a_scheduled_promotion_holds_over_a_base_that_was_activated_later(desk: Desk) -> None:
    sale = await active(desk, **ONE)
    base = await desk.edit()
    await desk.activate(base["policy_id"])
    assert (await desk.weights())["policy_id"] == base["policy_id"]
    desk.clock.advance(2 * HALF_HOUR_S)
    assert (await desk.weights())["policy_id"] == sale["policy"]["policy_id"]


async def test_a_cancelled_schedule_never_fires(desk: Desk) -> None:
    scheduled = await active(desk, **ONE)
    assert scheduled["state"] == "scheduled"
    cancelled = await end(desk, scheduled["sequence"])
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    for _ in range(5):
        desk.clock.advance(HALF_HOUR_S)
        assert (await desk.weights())["rule"] == "default"
    assert_problem(await end(desk, scheduled["sequence"]), 409, "activation_over")
    gone = await patch(desk, scheduled["sequence"], '"2"', until=None)
    assert_problem(gone, 409, "activation_over")


async def test_windows_that_would_be_cut_into_are_found_beforehand_and_refused(desk: Desk) -> None:
    first = await active(desk, **ONE)
    second = await desk.edit()
    path = f"/v1/policies/{second['policy_id']}/conflicts"
    (found,) = (await desk.client.get(path, params=TWO)).json()["items"]
    assert found["activation"]["sequence"] == first["sequence"]
    assert (found["since"], found["until"]) == ("2026-06-18T13:30:00Z", "2026-06-18T14:00:00Z")
    problem = assert_problem(await desk.activate(second["policy_id"], **TWO), 409, "schedule_conflict")
    (violation,) = problem["violations"]
    assert violation["path"] == f"activations/{first['sequence']}"
    assert first["policy"]["policy_id"] in violation["message"]
    accepted = await desk.activate(second["policy_id"], **TWO, conflicts="accept")
    assert accepted.status_code == 200
    apart = {"from": "2026-06-18T16:00:00Z"}
    assert (await desk.client.get(path, params=apart)).json()["items"] == []


async def test_a_window_that_ends_before_it_starts_is_refused(desk: Desk) -> None:
    policy = await desk.edit()
    backwards = {"from": ONE["until"], "until": ONE["from"]}
    found = await desk.client.get(f"/v1/policies/{policy['policy_id']}/conflicts", params=backwards)
    assert_problem(found, 422, "goal_invalid")
    soon = await desk.client.get(f"/v1/policies/{policy['policy_id']}/conflicts?from=soon")
    assert_problem(soon, 422, "invalid_input")


async def test_an_activation_is_changed_by_who_knows_its_revision(desk: Desk) -> None:
    activation = await active(desk, percent=10)
    path = f"/v1/activations/{activation['sequence']}"
    known = (await desk.client.get(path)).headers["etag"]
    assert known == '"1"'
    changed = await patch(desk, activation["sequence"], known, percent=50, until="2026-06-18T14:00:00Z")
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    facts = changed.json()
    assert (facts["percent"], facts["until"], facts["from"], facts["revision"]) == (
        50,
        "2026-06-18T14:00:00Z",
        None,
        2,
    )
    opened = await patch(desk, activation["sequence"], '"2"', until=None)
    assert (opened.json()["until"], opened.json()["percent"]) == (None, 50)
    assert (await desk.actions())[0] == "activation.changed"


async def test_a_change_of_an_earlier_revision_is_shown_field_by_field_what_is_different(desk: Desk) -> None:
    activation = await active(desk, percent=10)
    sequence = activation["sequence"]
    theirs = await patch(desk, sequence, '"1"', percent=50)
    wanted = {"percent": 20, "until": "2026-06-19T00:00:00+08:00"}
    problem = assert_problem(await patch(desk, sequence, '"1"', **wanted), 412, "precondition_failed")
    assert problem["current"] == theirs.json()
    assert problem["differences"] == [
        {"path": "until", "yours": "2026-06-18T16:00:00Z", "current": None},
        {"path": "percent", "yours": 20.0, "current": 50.0},
    ]
    assert (await desk.client.get(f"/v1/activations/{sequence}")).json() == theirs.json()
    assert (await desk.actions())[0] == "activation.change_refused"


async def test_a_change_must_say_which_revision_it_is_for(desk: Desk) -> None:
    sequence = (await active(desk))["sequence"]
    problem = assert_problem(await patch(desk, sequence, None, percent=50), 428, "precondition_required")
    assert f"/v1/activations/{sequence}" in problem["hint"]
    for another in ('W/"1"', '"9"', '"one"'):
        assert_problem(await patch(desk, sequence, another, percent=50), 412, "precondition_failed")
    assert (await patch(desk, sequence, "*", percent=50)).status_code == 200


async def test_of_changes_of_one_revision_at_once_one_is_made(desk: Desk) -> None:
    sequence = (await active(desk, percent=10))["sequence"]
    answers = await asyncio.gather(*(patch(desk, sequence, '"1"', percent=p) for p in (20, 30, 40)))
    made, *refused = sorted(answers, key=lambda r: r.status_code)
    assert [r.status_code for r in (made, *refused)] == [200, 412, 412]
    assert (await desk.client.get(f"/v1/activations/{sequence}")).json() == made.json()


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"percent": 0}, "percent"),
        ({"percent": 100.5}, "percent"),
        ({"from": "2026-06-18T13:00:00Z"}, "from"),
        ({"until": "2026-06-18T11:00:00Z"}, "until"),
        ({"policy_id": "pol_none"}, "policy_id"),
    ],
)
async def test_a_change_that_cant_be_made_is_refused(desk: Desk, changes: dict[str, Any], path: str) -> None:
    sequence = (await active(desk))["sequence"]
    desk.clock.advance(1)
    problem = assert_problem(await patch(desk, sequence, '"1"', **changes), 422, "invalid_input")
    assert problem["violations"][0]["path"] == path


async def test_a_repeated_change_or_end_is_made_once(desk: Desk) -> None:
    sequence = (await active(desk, percent=10))["sequence"]
    path = f"/v1/activations/{sequence}"
    keyed = {"Idempotency-Key": "more", "If-Match": '"1"'}
    first, second = [await desk.client.patch(path, json={"percent": 20}, headers=keyed) for _ in range(2)]
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    ended = [await end(desk, sequence, **{"Idempotency-Key": "stop"}) for _ in range(2)]
    assert [(r.status_code, r.json()["state"]) for r in ended] == [(200, "over")] * 2
    assert (await desk.actions())[:2] == ["activation.ended", "activation.changed"]


async def test_an_end_may_be_for_one_revision_only(desk: Desk) -> None:
    sequence = (await active(desk))["sequence"]
    problem = assert_problem(await end(desk, sequence, **{"If-Match": '"7"'}), 412, "precondition_failed")
    assert problem["current"]["revision"] == 1
    ended = (await end(desk, sequence, **{"If-Match": '"1"', "X-Actor": "li"})).json()
    assert (ended["ended"]["by"], ended["ended"]["kind"], ended["revision"]) == ("li", "ended", 2)
    assert (await desk.weights())["rule"] == "default"


async def test_an_end_needs_a_reason(desk: Desk) -> None:
    sequence = (await active(desk))["sequence"]
    response = await desk.client.post(f"/v1/activations/{sequence}/end", json={"reason": " "})
    assert assert_problem(response, 422, "invalid_input")["violations"][0]["path"] == "reason"


@pytest.mark.parametrize("named", ["999", "0", "9" * 30, "one", "%F0%9F%A6%84"])
async def test_an_activation_that_isnt_there_is_not_found(desk: Desk, named: str) -> None:
    response = await desk.client.get(f"/v1/activations/{named}")
    assert response.status_code in {404, 422}
    assert response.json()["code"] in {"activation_unknown", "invalid_input"}


async def test_activations_are_paged_and_filtered(desk: Desk) -> None:
    made = []
    for segment in (None, "new_user", "new_user"):
        policy = await desk.edit(segment=segment)
        made.append((await desk.activate(policy["policy_id"])).json())
        desk.clock.advance(1)
    first = (await desk.client.get("/v1/activations?limit=2")).json()
    rest = (await desk.client.get(f"/v1/activations?limit=2&cursor={first['next_cursor']}")).json()
    assert [a["sequence"] for a in (*first["items"], *rest["items"])] == [a["sequence"] for a in made[::-1]]
    own = (await desk.client.get("/v1/activations?scenario=home_feed&segment=new_user")).json()["items"]
    assert len(own) == 2
    assert (await desk.client.get("/v1/activations?scenario=video_feed")).json()["items"] == []
    assert_problem(await desk.client.get("/v1/activations?segment=new_user"), 422, "invalid_input")
