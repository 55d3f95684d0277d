"""Simulations over HTTP; a script stands in for the process that simulates."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from reward_llm.domain.simulation import FULL_SEEDS, MAX_ARMS, QUICK_SEEDS, QUICK_USERS, Outcome
from reward_llm.generation.clients.scripted import ScriptedModel
from tests.api.harness import EDITED, NOTHING, RAISE_GMV, Desk, Setup, assert_problem

SIMULATIONS = "/v1/simulations"
ONE = {"scenario": "home_feed", "arms": [{}], "seeds": 2, "days": 10}


async def started(desk: Desk, **changes: Any) -> dict[str, Any]:
    response = await desk.client.post(SIMULATIONS, json={**ONE, **changes}, headers={"X-Actor": "ann"})
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    assert response.headers["location"] == f"{SIMULATIONS}/{job['id']}"
    return job


async def over(desk: Desk, job: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            now: dict[str, Any] = (await desk.client.get(f"{SIMULATIONS}/{job['id']}")).json()
            if now["state"] not in {"queued", "running"}:
                return now
            await asyncio.sleep(0.02)


async def running(desk: Desk, job: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            now: dict[str, Any] = (await desk.client.get(f"{SIMULATIONS}/{job['id']}")).json()
            if now["progress"]["done"]:
                return now
            await asyncio.sleep(0.02)


async def test_a_simulation_runs_beside_the_service_and_ends_with_a_table(desk: Desk) -> None:
    sale = {"name": "sale", "weights": EDITED}
    job = await started(desk, arms=[{"name": "now"}, sale])
    assert (job["state"], job["result"], job["created_by"]) == ("queued", None, "ann")
    assert job["progress"] == {"done": 0, "of": 2 * 2 * 10}
    ended = await over(desk, job)
    assert (ended["state"], ended["problem"]) == ("done", None)
    assert ended["progress"] == {"done": 40, "of": 40}
    assert ended["created_at"] < ended["started_at"] < ended["finished_at"]
    rows = ended["result"]["rows"]
    assert [row["outcome"] for row in rows] == [o.value for o in Outcome]
    now, then = rows[5]["arms"]
    assert (now["arm"], now["difference"], now["ratio"], now["verdict"]) == ("now", None, None, None)
    assert (then["arm"], then["verdict"]) == ("sale", "better")
    assert then["difference"]["mean"] == pytest.approx(0.1)
    assert then["ratio"] == pytest.approx(0.3005 / 0.2005)
    cost = rows[4]["arms"][1]
    assert (rows[4]["better"], cost["verdict"]) == ("lower", "worse")
    curve = next(c for c in ended["result"]["curves"] if (c["arm"], c["outcome"]) == ("sale", "gmv"))
    assert [day["mean"] for day in curve["days"]] == pytest.approx([0.3] * 10)


async def test_an_arm_without_weights_gets_those_in_force(desk: Desk) -> None:
    policy = await desk.edit()
    await desk.activate(policy["policy_id"])
    (arm,) = (await started(desk))["arms"]
    assert (arm["origin"], arm["policy_id"], arm["name"]) == (
        "in_force",
        policy["policy_id"],
        "marketplace: in force",
    )
    assert arm["weights"] == EDITED


async def test_an_arm_may_have_a_policys_weights_before_they_are_in_force(desk: Desk) -> None:
    policy = (await desk.edit())["policy_id"]
    (arm,) = (await started(desk, arms=[{"policy_id": policy, "recommender": "bandit"}]))["arms"]
    assert (arm["origin"], arm["source"], arm["recommender"]) == ("policy", "human", "bandit")
    assert (arm["weights"], arm["name"]) == (EDITED, f"bandit: {policy}")
    defaults = (await desk.client.get("/v1/weights/video_feed")).json()["policy_id"]
    (arm,) = (await started(desk, scenario="video_feed", arms=[{"policy_id": defaults}]))["arms"]
    assert arm["source"] == "default"


async def test_a_goal_is_read_for_an_arm_and_nothing_of_it_is_kept(setup: Setup) -> None:
    async with setup.start(model=ScriptedModel([RAISE_GMV, NOTHING])) as desk:
        arms = [{"goal": "Raise GMV by 15% this weekend"}, {"goal": "Good morning"}]
        asks, asks_nothing = (await started(desk, arms=arms))["arms"]
        assert (asks["origin"], asks["source"], asks["goal"]) == ("goal", "scripted", "Raise GMV by 15% this weekend")
        assert asks["weights"]["gmv"] > 0.2
        assert asks_nothing["weights"] == (await desk.weights())["weights"]
        assert (await desk.client.get("/v1/goals")).json()["items"] == []
        assert (await desk.client.get("/v1/policies")).json()["items"] == []


async def test_arms_without_a_name_get_one_of_their_own(desk: Desk) -> None:
    long = "Raise GMV by 15% this weekend, and whatever else"
    job = await started(
        desk, arms=[{}, {}, {"weights": {"gmv": 1.0}}, {"goal": long}, {"name": "marketplace: weights"}]
    )
    names = [arm["name"] for arm in job["arms"]]
    assert names == [
        "marketplace: in force",
        "marketplace: in force (2)",
        "marketplace: weights (2)",
        f"marketplace: {long[:30]}…",
        "marketplace: weights",
    ]


async def test_a_quick_simulation_is_a_small_one(desk: Desk) -> None:
    job = await started(desk, quick=True, seeds=None)
    assert (job["seeds"], job["users"]) == (QUICK_SEEDS, QUICK_USERS)
    assert (await started(desk, seeds=None))["seeds"] == FULL_SEEDS


@pytest.mark.parametrize(
    ("changes", "status", "code", "path"),
    [
        ({"scenario": "home_fed"}, 404, "scenario_unknown", None),
        ({"segment": "old"}, 404, "segment_unknown", None),
        ({"arms": [{"policy_id": "pol_none"}]}, 404, "policy_unknown", None),
        ({"arms": []}, 422, "invalid_input", "arms"),
        ({"arms": [{}] * (MAX_ARMS + 1)}, 422, "invalid_input", "arms"),
        ({"arms": [{"recommender": "oracle"}]}, 422, "invalid_input", "arms/0/recommender"),
        ({"seeds": 1}, 422, "invalid_input", "seeds"),
        ({"days": 31}, 422, "invalid_input", "days"),
        ({"arms": [{}, {"goal": "Raise GMV", "weights": EDITED}]}, 422, "simulation_invalid", "arms/1"),
        ({"arms": [{"name": "a"}, {"name": "a"}]}, 422, "simulation_invalid", "arms/0/name"),
        ({"arms": [{"weights": {"gmv": 0.4}}]}, 422, "weights_invalid", "weights"),
        ({"arms": [{"goal": " "}]}, 422, "goal_invalid", None),
    ],
)
async def test_what_cant_be_simulated_is_refused(
    desk: Desk, changes: dict[str, Any], status: int, code: str, path: str | None
) -> None:
    problem = assert_problem(await desk.client.post(SIMULATIONS, json={**ONE, **changes}), status, code)
    assert path is None or problem["violations"][0]["path"] == path
    assert (await desk.client.get(SIMULATIONS)).json()["items"] == []


async def test_a_policy_of_another_scenario_is_refused(desk: Desk) -> None:
    elsewhere = (await desk.client.get("/v1/weights/video_feed")).json()["policy_id"]
    answer = await desk.client.post(SIMULATIONS, json={**ONE, "arms": [{"policy_id": elsewhere}]})
    assert "video_feed" in assert_problem(answer, 422, "simulation_invalid")["hint"]


async def test_a_process_that_dies_fails_its_simulation_and_no_other(desk: Desk) -> None:
    dies, garbles, breaks, lives = [
        await started(desk, arms=[{"name": name}]) for name in ("dies", "garbles", "breaks off", "lives")
    ]
    assert (await over(desk, dies))["problem"]["detail"] == "the simulating process ended with code 3"
    assert (await over(desk, garbles))["problem"]["code"] == "simulation_failed"
    assert (await over(desk, breaks))["problem"] == {
        "code": "simulation_failed",
        "detail": "too few users",
        "hint": "Take more.",
    }
    assert (await over(desk, lives))["state"] == "done"


async def test_a_simulation_that_runs_or_waits_can_be_cancelled(desk: Desk) -> None:
    first = await started(desk, arms=[{"name": "waits"}])
    second = await started(desk, arms=[{"name": "waits"}])
    third = await started(desk)
    assert (await running(desk, first))["progress"]["done"] == 1
    for job in (second, first):
        cancelled = await desk.client.post(f"{SIMULATIONS}/{job['id']}/cancellation")
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert (await over(desk, third))["state"] == "done"
    again = await desk.client.post(f"{SIMULATIONS}/{third['id']}/cancellation")
    assert again.json()["state"] == "done"
    states = [job["state"] for job in (await desk.client.get(SIMULATIONS)).json()["items"]]
    assert states == ["done", "cancelled", "cancelled"]


async def test_simulations_are_listed_newest_first_without_their_results(desk: Desk) -> None:
    made = [await started(desk, scenario=scenario) for scenario in ("home_feed", "video_feed", "home_feed")]
    for job in made:
        await over(desk, job)
    first = (await desk.client.get(SIMULATIONS, params={"limit": 2})).json()
    assert [job["id"] for job in first["items"]] == [made[2]["id"], made[1]["id"]]
    assert "result" not in first["items"][0]
    rest = (await desk.client.get(SIMULATIONS, params={"cursor": first["next_cursor"]})).json()
    assert ([job["id"] for job in rest["items"]], rest["next_cursor"]) == ([made[0]["id"]], None)
    of_one = (await desk.client.get(SIMULATIONS, params={"scenario": "video_feed"})).json()["items"]
    assert [job["id"] for job in of_one] == [made[1]["id"]]
    assert_problem(await desk.client.get(SIMULATIONS, params={"cursor": "sim_x"}), 422, "invalid_input")


async def test_what_a_restart_forgot_is_unknown_and_the_hint_says_why(setup: Setup) -> None:
    async with setup.start() as desk:
        job = await started(desk, arms=[{"name": "waits"}])
    async with setup.start() as desk:
        problem = assert_problem(await desk.client.get(f"{SIMULATIONS}/{job['id']}"), 404, "simulation_unknown")
        assert "until it ends" in problem["hint"]


async def test_no_more_simulations_wait_than_may(desk: Desk) -> None:
    await running(desk, await started(desk, arms=[{"name": "waits"}]))
    for _ in range(8):
        await started(desk)
    busy = await desk.client.post(SIMULATIONS, json=ONE)
    assert_problem(busy, 409, "simulator_busy")
    assert int(busy.headers["retry-after"]) > 0


async def test_what_is_answered_is_what_is_described(desk: Desk) -> None:
    done = await over(desk, await started(desk, arms=[{}, {"goal": "Raise GMV"}]))
    registry = Registry().with_resource("urn:openapi", DRAFT202012.create_resource(desk.app.openapi()))
    listed = (await desk.client.get(SIMULATIONS)).json()
    for name, answer in (("SimulationWire", done), ("Listing_SimulationSummaryWire_", listed)):
        schema = {"$ref": f"urn:openapi#/components/schemas/{name}"}
        Draft202012Validator(schema, registry=registry).validate(answer)
