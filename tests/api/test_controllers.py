"""Controllers over HTTP, and their moves as they are served."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from reward_llm.domain.access import Grant, Role
from reward_llm.domain.admission import Admission
from reward_llm.domain.loop import LoopKind
from reward_llm.loop.control.controllers import Controllers
from reward_llm.store.controlling import SqlMoves
from reward_llm.store.database import Database
from reward_llm.validation import gate
from tests.api.callers import office
from tests.api.harness import EDITED, NOON, Desk, Setup, assert_problem
from tests.loop.control.plans import Told
from tests.strategies import HOME_FEED

CONTROLLERS = "/v1/controllers"
ASKED: dict[str, Any] = {
    "scenario": "home_feed",
    "name": "a fifth",
    "utility": "cold_start",
    "exposure": {"metric": "cold_start_share", "setpoint": 0.2, "window": "5m"},
    "gains": {"proportional": 0.2, "integral": 0.05},
    "envelope": {"min": 0.02, "max": 0.2},
    "slew": 0.02,
    "dead_band": 0.01,
    "period_s": 60,
    "stale_after_s": 180,
    "reason": "new creators need a start",
}
WIDE = {"envelope": {"min": 0.02, "max": 0.3}}
QUOTA = {
    "exposure": None,
    "quota": {
        "metric": "boost_spend",
        "amount": 500.0,
        "since": "2026-06-18T12:00:00Z",
        "until": "2026-06-19T12:00:00Z",
        "hours": [1.0] * 24,
        "time_zone": "Asia/Shanghai",
    },
}


async def base(desk: Desk) -> str:
    policy = (await desk.edit())["policy_id"]
    assert (await desk.activate(policy)).status_code == 200
    return str(policy)


async def created(desk: Desk, by: str = "ann", **changes: Any) -> dict[str, Any]:
    answer = await desk.client.post(CONTROLLERS, json={**ASKED, **changes}, headers={"X-Actor": by})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"{CONTROLLERS}/{made['id']}"
    return made


async def done(desk: Desk, one: dict[str, Any], what: str, by: str = "li", **sent: Any) -> Any:
    body = sent or {"reason": "enough"}
    return await desk.client.post(f"{CONTROLLERS}/{one['id']}/{what}", json=body, headers={"X-Actor": by})


async def approved(desk: Desk, one: dict[str, Any], by: str = "li", **changes: Any) -> Any:
    return await done(desk, one, "approval", by, content_hash=changes.get("content_hash", one["content_hash"]))


def controllers(setup: Setup, desk: Desk, database: Database) -> tuple[Controllers, Told]:
    services, told = desk.app.state.context.services, Told(setup.clock)
    made = Controllers(
        records=services.controllers,
        governance=services.governance,
        moves=SqlMoves(database),
        online=told,
        admissions={"home_feed": Admission(scenario=HOME_FEED, gate=gate.check)},
        clock=setup.clock,
    )
    return made, told


async def test_a_controller_that_needs_no_approval_runs_at_once_and_its_moves_are_served(setup: Setup) -> None:
    database = Database.open(setup.url)
    async with setup.start() as desk:
        policy = await base(desk)
        one = await created(desk)
        assert (one["state"], one["approvals_needed"], one["base_policy"]) == ("running", 0, policy)
        running, _ = controllers(setup, desk, database)
        setup.clock.advance(60)
        await running.run()
        await desk.board.refresh()
        served = await desk.weights()
        assert (served["source"], served["weights"]["cold_start"]) == ("controller", 0.07)
        shown = (await desk.client.get(f"{CONTROLLERS}/{one['id']}")).json()
        (reading,) = shown["readings"]
        assert (reading["measured"], reading["setpoint"], reading["held"]) == (0.1, 0.2, None)
        assert (reading["policy_id"], reading["weight"]) == (served["policy_id"], 0.07)
        assert reading["error"] == pytest.approx(0.1)
        await database.aclose()
        assert (await desk.app.state.context.services.auditor.verification()).flaw is None


async def test_a_wide_envelope_waits_for_somebody_elses_approval_of_exactly_it(desk: Desk) -> None:
    await base(desk)
    one = await created(desk, **WIDE)
    assert (one["state"], one["approvals_missing"]) == ("proposed", 1)
    assert "over 0.45" in one["reasons"][0]
    assert_problem(await approved(desk, one, "ann"), 409, "self_approval_forbidden")
    assert_problem(await approved(desk, one, content_hash="x"), 409, "content_hash_mismatch")
    assert_problem(await done(desk, one, "pause"), 409, "controller_not_ready")
    granted = (await approved(desk, one)).json()
    assert (granted["state"], granted["approvals_missing"]) == ("running", 0)
    assert [a["actor"] for a in granted["approvals"]] == ["li"]
    assert_problem(await approved(desk, one, "bo"), 409, "controller_not_ready")


async def test_an_approval_after_another_policy_came_into_force_is_refused(desk: Desk) -> None:
    await base(desk)
    one = await created(desk, **WIDE)
    other = await desk.edit(weights=dict(HOME_FEED.defaults))
    await desk.activate(other["policy_id"])
    assert "new controller" in assert_problem(await approved(desk, one), 409, "controller_not_ready")["hint"]


async def test_it_is_paused_resumed_and_ended_with_reasons(desk: Desk) -> None:
    await base(desk)
    one = await created(desk)
    paused = (await done(desk, one, "pause", reason="the feed is odd")).json()
    assert (paused["state"], paused["note"]) == ("paused", "the feed is odd")
    assert_problem(await done(desk, one, "pause", reason=" "), 422, "invalid_input")
    assert (await done(desk, one, "resume")).json()["state"] == "running"
    assert (await done(desk, one, "end")).json()["state"] == "ended"
    assert_problem(await done(desk, one, "resume"), 409, "controller_not_ready")
    assert (await desk.actions())[:4] == [
        "controller.refused",
        "controller.ended",
        "controller.resumed",
        "controller.refused",
    ]


async def test_a_scope_has_one_controller_at_a_time(desk: Desk) -> None:
    await base(desk)
    one = await created(desk)
    again = await desk.client.post(CONTROLLERS, json=ASKED)
    assert_problem(again, 409, "scope_controlled")
    await done(desk, one, "end")
    assert (await created(desk))["state"] == "running"


async def test_of_several_that_are_made_in_the_same_instant_one_gets_the_scope(desk: Desk) -> None:
    await base(desk)
    asked = (desk.client.post(CONTROLLERS, json={**ASKED, "name": f"n{n}"}) for n in range(4))
    answers = sorted(await asyncio.gather(*asked), key=lambda answer: answer.status_code)
    assert answers[0].status_code == 201
    assert [assert_problem(a, 409, "scope_controlled")["code"] for a in answers[1:]] == ["scope_controlled"] * 3


async def test_of_several_that_are_granted_in_the_same_instant_one_runs(desk: Desk) -> None:
    await base(desk)
    proposed = [await created(desk, name=f"n{n}", **WIDE) for n in range(3)]
    answers = await asyncio.gather(*(approved(desk, one) for one in proposed))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    running = (await desk.client.get(CONTROLLERS, params={"state": "running"})).json()["items"]
    assert [one["id"] for one in running] == [a.json()["id"] for a in answers if a.status_code == 200]


async def test_the_same_key_with_the_same_request_makes_one(desk: Desk) -> None:
    await base(desk)
    headers = {"Idempotency-Key": "k1", "X-Actor": "ann"}
    first, second = [await desk.client.post(CONTROLLERS, json=ASKED, headers=headers) for _ in range(2)]
    assert first.json()["id"] == second.json()["id"]
    other = await desk.client.post(CONTROLLERS, json={**ASKED, "name": "b"}, headers=headers)
    assert_problem(other, 422, "idempotency_conflict")


async def test_the_same_key_has_each_thing_done_once(desk: Desk) -> None:
    await base(desk)
    one = await created(desk, **WIDE)
    said = {what: {"reason": "enough"} for what in ("pause", "resume", "end")}
    asked = {"approval": {"content_hash": one["content_hash"]}, **said}
    states = {"approval": "running", "pause": "paused", "resume": "running", "end": "ended"}
    for what, state in states.items():
        for _ in range(2):
            answer = await keyed(desk, one, what, f"key of {what}", asked[what])
            assert (answer.status_code, answer.json()["state"]) == (200, state)
    actions = await desk.actions()
    assert [actions.count(f"controller.{done}") for done in ("approved", "paused", "resumed", "ended")] == [1] * 4
    assert (await keyed(desk, one, "approval", "key of approval", asked["approval"])).json()["state"] == "ended"
    for what, sent in {**asked, "pause": {"reason": "another"}}.items():
        assert_problem(await keyed(desk, one, what, "key of pause", sent), 422, "idempotency_conflict")


async def keyed(desk: Desk, one: dict[str, Any], what: str, key: str, sent: dict[str, Any]) -> Any:
    headers = {"X-Actor": "li", "Idempotency-Key": key}
    return await desk.client.post(f"{CONTROLLERS}/{one['id']}/{what}", json=sent, headers=headers)


@pytest.mark.parametrize(
    ("changes", "status", "code", "path"),
    [
        ({"scenario": "home_fed"}, 404, "scenario_unknown", None),
        ({"segment": "old"}, 404, "segment_unknown", None),
        ({"utility": "joy"}, 422, "controller_invalid", "utility"),
        ({"exposure": None}, 422, "controller_invalid", "exposure"),
        ({"quota": QUOTA["quota"]}, 422, "controller_invalid", "exposure"),
        ({"exposure": {"metric": "gmv", "setpoint": 1.0}}, 422, "controller_invalid", "exposure/metric"),
        ({"exposure": {"setpoint": 0.2, "window": "5s"}}, 422, "controller_invalid", "exposure/window"),
        ({"gains": {"proportional": 0.0}}, 422, "controller_invalid", "gains"),
        ({"envelope": {"min": 0.0, "max": 0.2}}, 422, "controller_invalid", "envelope"),
        ({"envelope": {"min": 0.1, "max": 0.2}}, 422, "controller_invalid", "envelope"),
        ({"envelope": {"min": 0.02, "max": 0.4}}, 422, "gate_refused", "weights"),
        ({"period_s": 30}, 422, "invalid_input", "period_s"),
        ({"reason": " "}, 422, "invalid_input", "reason"),
        ({"base_policy": "pol_none"}, 409, "controller_not_ready", None),
        ({**QUOTA, "quota": {**QUOTA["quota"], "metric": "ctr"}}, 422, "controller_invalid", "quota/metric"),
        ({**QUOTA, "quota": {**QUOTA["quota"], "hours": [1.0]}}, 422, "controller_invalid", "quota/hours"),
        (
            {**QUOTA, "quota": {**QUOTA["quota"], "until": "2026-08-19T12:00:00Z"}},
            422,
            "controller_invalid",
            "quota/until",
        ),
    ],
)
async def test_what_cant_be_run_is_refused(
    desk: Desk, changes: dict[str, Any], status: int, code: str, path: str | None
) -> None:
    await base(desk)
    problem = assert_problem(await desk.client.post(CONTROLLERS, json={**ASKED, **changes}), status, code)
    assert path is None or problem["violations"][0]["path"] == path
    assert (await desk.client.get(CONTROLLERS)).json()["items"] == []


async def test_nothing_in_force_and_a_rollout_are_no_base(desk: Desk) -> None:
    assert_problem(await desk.client.post(CONTROLLERS, json=ASKED), 409, "controller_not_ready")
    policy = await desk.edit()
    await desk.activate(policy["policy_id"], percent=10)
    assert_problem(await desk.client.post(CONTROLLERS, json=ASKED), 409, "controller_not_ready")


async def test_controllers_are_listed_newest_first_and_by_state(desk: Desk) -> None:
    await base(desk)
    first = await created(desk)
    await done(desk, first, "end")
    second = await created(desk, **QUOTA)
    listed = (await desk.client.get(CONTROLLERS)).json()["items"]
    assert [(c["id"], c["kind"], c["metric"]) for c in listed] == [
        (second["id"], "quota", "boost_spend"),
        (first["id"], "exposure", "cold_start_share"),
    ]
    ended = (await desk.client.get(CONTROLLERS, params={"state": "ended"})).json()["items"]
    assert [c["id"] for c in ended] == [first["id"]]
    assert_problem(await desk.client.get(f"{CONTROLLERS}/ctl_none"), 404, "loop_record_unknown")


async def test_each_route_takes_its_role_in_the_controllers_scenario(setup: Setup) -> None:
    async with office(setup) as rooms:
        editor = await rooms.token(Grant(role=Role.EDITOR, scenario="home_feed"), name="ed")
        viewer = await rooms.token(Grant(role=Role.VIEWER, scenario="home_feed"), name="vi")
        approver = await rooms.token(Grant(role=Role.APPROVER, scenario="home_feed"), name="ap")
        stranger = await rooms.token(Grant(role=Role.ADMIN, scenario="video_feed"), name="st")
        edit = {"scenario": "home_feed", "weights": EDITED, "reason": "base"}
        policy = (await rooms.ask("POST", "/v1/policies", editor, json=edit)).json()["policy_id"]
        await rooms.ask("POST", f"/v1/policies/{policy}/activation", editor, json={})
        for who in (viewer, stranger):
            refused = await rooms.ask("POST", CONTROLLERS, who, json={**ASKED, **WIDE})
            assert refused.status_code == 403
        one = (await rooms.ask("POST", CONTROLLERS, editor, json={**ASKED, **WIDE})).json()
        path = f"{CONTROLLERS}/{one['id']}"
        word = {"content_hash": one["content_hash"]}
        assert (await rooms.ask("POST", f"{path}/approval", editor, json=word)).status_code == 403
        assert (await rooms.ask("GET", path, stranger)).status_code == 403
        assert (await rooms.ask("GET", path, viewer)).status_code == 200
        assert (await rooms.ask("POST", f"{path}/approval", approver, json=word)).json()["state"] == "running"
        assert (await rooms.ask("POST", f"{path}/pause", viewer, json={"reason": "x"})).status_code == 403
        assert (await rooms.ask("GET", CONTROLLERS, stranger)).json()["items"] == []


async def test_what_is_answered_is_what_is_described(desk: Desk) -> None:
    await base(desk)
    one = await created(desk)
    services = desk.app.state.context.services
    record = await services.controllers.record(LoopKind.CONTROLLER, one["id"])
    assert record.created_at >= NOON - timedelta(days=1)
    shown = (await desk.client.get(f"{CONTROLLERS}/{one['id']}")).json()
    listed = (await desk.client.get(CONTROLLERS)).json()
    registry = Registry().with_resource("urn:openapi", DRAFT202012.create_resource(desk.app.openapi()))
    for name, answer in (("ControllerWire", shown), ("Listing_ControllerSummaryWire_", listed)):
        schema = {"$ref": f"urn:openapi#/components/schemas/{name}"}
        Draft202012Validator(schema, registry=registry).validate(answer)
