"""Experiments over HTTP: planned, started, looked at and stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from reward_llm.domain.access import Grant, Role
from reward_llm.feedback.metrics.online import MetricsStore, open_logs
from tests.api.callers import ADMIN, office
from tests.api.harness import EDITED, NOON, Desk, Setup, assert_problem
from tests.feedback.metrics.events import days

EXPERIMENTS = "/v1/experiments"
DAY_S = 86_400
PLAN = {
    "name": "More GMV",
    "primary": "gmv",
    "guardrails": [{"metric": "next_day_retention", "margin": 0.02}],
    "min_days": 2,
    "max_days": 4,
    "holdout_days": 2,
}


@pytest.fixture
async def desk(setup: Setup) -> AsyncIterator[Desk]:
    metrics = MetricsStore(open_logs(None, 2), setup.clock)
    async with replace(setup, online=metrics).start() as desk:
        yield desk
        assert (await desk.app.state.context.services.auditor.verification()).flaw is None
    await metrics.aclose()


async def planned(desk: Desk, **changes: Any) -> dict[str, Any]:
    treatment = changes.pop("treatment", None) or (await desk.edit())["policy_id"]
    sent = {**PLAN, "treatment": treatment, **changes}
    response = await desk.client.post(EXPERIMENTS, json=sent, headers={"X-Actor": "ann"})
    assert response.status_code == 201, response.text
    experiment: dict[str, Any] = response.json()
    assert response.headers["location"] == f"{EXPERIMENTS}/{experiment['id']}"
    return experiment


async def done(desk: Desk, experiment: dict[str, Any], what: str, **sent: Any) -> dict[str, Any]:
    response = await desk.client.post(f"{EXPERIMENTS}/{experiment['id']}/{what}", json=sent)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_an_experiment_is_planned_before_anything_is_served(desk: Desk) -> None:
    experiment = await planned(desk)
    assert (experiment["state"], experiment["looks"], experiment["last_look"]) == ("planned", [], None)
    assert (experiment["created_by"], experiment["scenario"], experiment["segment"]) == ("ann", "home_feed", None)
    assert experiment["guardrails"] == [{"metric": "next_day_retention", "margin": 0.02}]
    assert (await desk.weights(unit="u1"))["source"] == "default"
    assert (await desk.client.get(f"{EXPERIMENTS}/{experiment['id']}")).json() == experiment
    listed = (await desk.client.get(EXPERIMENTS, params={"state": "planned"})).json()["items"]
    assert [e["id"] for e in listed] == [experiment["id"]]
    assert (await desk.client.get(EXPERIMENTS, params={"state": "running"})).json()["items"] == []


async def test_the_same_key_plans_once(desk: Desk) -> None:
    sent = {**PLAN, "treatment": (await desk.edit())["policy_id"]}
    headers = {"Idempotency-Key": "once"}
    first, second = [await desk.client.post(EXPERIMENTS, json=sent, headers=headers) for _ in range(2)]
    assert first.json()["id"] == second.json()["id"]
    other = await desk.client.post(EXPERIMENTS, json={**sent, "name": "x"}, headers=headers)
    assert_problem(other, 422, "idempotency_conflict")


async def test_the_same_key_starts_and_stops_once(desk: Desk) -> None:
    experiment, other = await planned(desk), await planned(desk)

    async def asked(one: dict[str, Any], what: str, key: str, reason: str = "go") -> Any:
        headers = {"Idempotency-Key": key}
        return await desk.client.post(f"{EXPERIMENTS}/{one['id']}/{what}", json={"reason": reason}, headers=headers)

    started = [(await asked(experiment, "start", "k1")).json() for _ in range(2)]
    assert [s["state"] for s in started] == ["running", "running"]
    assert started[0] == started[1]
    stopped = [(await asked(experiment, "stop", "k2")).json() for _ in range(2)]
    assert [s["state"] for s in stopped] == ["stopped", "stopped"]
    assert (await asked(experiment, "start", "k1")).json()["state"] == "stopped", "as it is now"
    actions = await desk.actions()
    assert [actions.count(f"experiment.{done}") for done in ("started", "stopped")] == [1, 1]
    assert_problem(await asked(experiment, "stop", "k2", "another reason"), 422, "idempotency_conflict")
    assert_problem(await asked(other, "start", "k1"), 422, "idempotency_conflict")
    assert_problem(await asked(other, "stop", "k1"), 422, "idempotency_conflict")


async def test_half_of_the_units_get_the_treatment_until_it_is_stopped(desk: Desk) -> None:
    experiment = await done(desk, await planned(desk), "start", reason="go")
    assert (experiment["state"], experiment["percent"]) == ("running", 50.0)
    served = [(await desk.weights(unit=f"u{unit}"))["policy_id"] for unit in range(60)]
    assert set(served) == {experiment["treatment"], experiment["control"]}
    assert 15 < served.count(experiment["treatment"]) < 45
    assert (await desk.weights())["policy_id"] == experiment["control"]
    stopped = await done(desk, experiment, "stop", reason="enough")
    assert (stopped["state"], stopped["outcome"]) == ("stopped", "stopped")
    assert (await desk.weights(unit="u1"))["policy_id"] == experiment["control"]
    said = [
        "experiment.created",
        "policy.activated",
        "experiment.started",
        "activation.ended",
        "experiment.stopped",
    ]
    assert [a for a in reversed(await desk.actions()) if a in said] == said


async def test_looks_are_told_day_by_day(desk: Desk) -> None:
    experiment = await done(desk, await planned(desk), "start")
    desk.clock.advance(2 * DAY_S)
    online = desk.app.state.context.services.online
    arms = {"pol_a": experiment["control"], "pol_b": experiment["treatment"]}
    until = desk.clock.now
    events = days(4, users=500, count=2, until=until)
    await online.publish([replace(e, policy_id=arms[e.policy_id or ""]) for e in events])
    desk.clock.advance(3_700)
    await desk.app.state.context.services.experiments.look()
    now = (await desk.client.get(f"{EXPERIMENTS}/{experiment['id']}")).json()
    assert [look["day"] for look in now["looks"]] == [1, 2]
    look = now["looks"][-1]
    assert look == now["last_look"]
    assert look["control_units"] + look["treatment_units"] == len({e.user for e in events if e.type == "impression"})
    gmv, retention = look["measurements"]
    assert (gmv["role"], gmv["span"], retention["role"]) == ("primary", "all", "guardrail")
    assert gmv["low"] < gmv["difference"] < gmv["high"]
    assert gmv["relative"] == pytest.approx(gmv["difference"] / gmv["control"])
    assert retention["limit"] == pytest.approx(-0.02 * retention["control"])
    assert until > NOON


async def test_what_cant_be_run_is_refused_and_on_record(desk: Desk) -> None:
    treatment = (await desk.edit())["policy_id"]

    async def refused(status: int, code: str, **changes: Any) -> dict[str, Any]:
        answer = await desk.client.post(EXPERIMENTS, json={**PLAN, "treatment": treatment, **changes})
        return assert_problem(answer, status, code)

    await refused(404, "policy_unknown", treatment="pol_none")
    await refused(422, "invalid_input", primary="happiness")
    problem = await refused(422, "experiment_invalid", primary="ndcg", percent=100.0)
    assert {v["path"] for v in problem["violations"]} == {"percent", "primary"}
    await refused(422, "experiment_invalid", max_days=40)
    assert (await desk.actions())[0] == "experiment.refused"
    assert (await desk.client.get(EXPERIMENTS)).json()["items"] == []
    assert_problem(await desk.client.get(f"{EXPERIMENTS}/exp_none"), 404, "loop_record_unknown")


async def test_an_experiment_needs_a_reason_to_be_stopped_and_starts_once(desk: Desk) -> None:
    experiment = await done(desk, await planned(desk), "start")
    path = f"{EXPERIMENTS}/{experiment['id']}"
    assert_problem(await desk.client.post(f"{path}/stop", json={"reason": " "}), 422, "invalid_input")
    assert_problem(await desk.client.post(f"{path}/start"), 409, "experiment_over")
    second = await planned(desk)
    assert_problem(await desk.client.post(f"{EXPERIMENTS}/{second['id']}/start"), 409, "experiment_underway")


async def test_a_frozen_scope_isnt_experimented_on(desk: Desk) -> None:
    experiment = await planned(desk)
    await desk.client.post("/v1/scopes/home_feed/-/freeze", json={"frozen": True, "reason": "sale"})
    answer = await desk.client.post(f"{EXPERIMENTS}/{experiment['id']}/start")
    assert_problem(answer, 409, "scope_frozen")
    assert (await desk.client.get(f"{EXPERIMENTS}/{experiment['id']}")).json()["state"] == "planned"


async def test_how_long_it_takes_is_told_from_events_or_from_what_is_given(desk: Desk) -> None:
    asked = {"scenario": "home_feed", "metric": "ctr", "effect": 0.05}
    assert_problem(await desk.client.get(f"{EXPERIMENTS}/plan", params=asked), 422, "experiment_invalid")
    given = {**asked, "value": 0.1, "deviation": 0.2, "units_a_week": 7_000}
    size = (await desk.client.get(f"{EXPERIMENTS}/plan", params=given)).json()
    assert size["difference"] == pytest.approx(0.005)
    assert size["fixed_units"] < size["sequential_units"]
    assert size["fixed_days"] == pytest.approx(size["fixed_units"] / 1_000)
    await desk.app.state.context.services.online.publish(days(6, users=200))
    found = (await desk.client.get(f"{EXPERIMENTS}/plan", params=asked)).json()
    assert found["value"] == pytest.approx(0.3, abs=0.03)
    untold = {**given, "metric": "ndcg"}
    problem = assert_problem(await desk.client.get(f"{EXPERIMENTS}/plan", params=untold), 422, "experiment_invalid")
    assert problem["violations"][0]["path"] == "metric"
    wrong = {**asked, "effect": 0}
    assert_problem(await desk.client.get(f"{EXPERIMENTS}/plan", params=wrong), 422, "invalid_input")
    nowhere = {**asked, "scenario": "nowhere"}
    assert_problem(await desk.client.get(f"{EXPERIMENTS}/plan", params=nowhere), 404, "scenario_unknown")


async def test_without_metrics_there_are_no_experiments(setup: Setup) -> None:
    async with setup.start() as desk:
        answer = await desk.client.get(EXPERIMENTS)
    assert "reward-llm[metrics]" in assert_problem(answer, 503, "metrics_unavailable")["hint"]


async def test_only_who_may_edit_the_scenario_may_experiment_in_it(setup: Setup) -> None:
    metrics = MetricsStore(open_logs(None, 1), setup.clock)
    async with office(replace(setup, online=metrics)) as at:
        boss = await at.token(ADMIN, name="boss")
        viewer = await at.token(Grant(role=Role.VIEWER, scenario="home_feed"), name="viewer")
        stranger = await at.token(Grant(role=Role.VIEWER, scenario="video_feed"), name="stranger")
        edit = {"scenario": "home_feed", "weights": EDITED, "reason": "try"}
        policy = (await at.ask("POST", "/v1/policies", boss, json=edit)).json()["policy_id"]
        sent = {**PLAN, "treatment": policy}
        assert_problem(await at.ask("POST", EXPERIMENTS, viewer, json=sent), 403, "forbidden")
        made = (await at.ask("POST", EXPERIMENTS, boss, json=sent)).json()
        path = f"{EXPERIMENTS}/{made['id']}"
        assert (await at.ask("GET", path, viewer)).status_code == 200
        assert_problem(await at.ask("GET", path, stranger), 403, "forbidden")
        assert (await at.ask("GET", EXPERIMENTS, stranger)).json()["items"] == []
        assert_problem(await at.ask("POST", f"{path}/start", viewer, json={}), 403, "forbidden")
        assert_problem(await at.ask("GET", path, None), 401, "unauthenticated")
        assert (await at.ask("POST", f"{path}/start", boss, json={})).status_code == 200
    await metrics.aclose()
