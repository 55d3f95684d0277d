"""Solved goals over HTTP: both answers, and taking the second."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.domain.solving import Feasibility
from reward_llm.generation.clients.scripted import ScriptedModel
from reward_llm.loop.solving.solver import SurfaceSolver
from tests.api.harness import NOTHING, RAISE_GMV, Desk, Setup, assert_problem
from tests.loop.surface.problems import METRICS, surface
from tests.strategies import HOME_FEED

TEXT = "GMV提升10%，次日留存不低于56%"
DEMANDING = canonical_answer(
    [("gmv", Direction.RAISE, Emphasis.CLEAR), ("retention", Direction.HOLD, Emphasis.CLEAR)]
)


@pytest.fixture(scope="module")
def solver() -> SurfaceSolver:
    return SurfaceSolver(surfaces={"home_feed": surface()})


@pytest.fixture
async def solving(setup: Setup, solver: SurfaceSolver) -> AsyncIterator[Desk]:
    model = ScriptedModel([DEMANDING] * 4)
    async with replace(setup, solver=solver).start(model=model) as desk:
        yield desk


async def taken(desk: Desk, goal: dict[str, Any], **headers: str) -> dict[str, Any]:
    response = await desk.client.post(f"/v1/goals/{goal['id']}/solved", json={"reason": "as solved"}, headers=headers)
    assert response.status_code == 201, response.text
    policy: dict[str, Any] = response.json()
    assert response.headers["etag"] == f'"{policy["content_hash"]}"'
    assert response.headers["location"] == f"/v1/policies/{policy['policy_id']}"
    return policy


async def test_a_goal_with_targets_has_two_answers(solving: Desk) -> None:
    goal = await solving.submit(text=TEXT)
    solved, proposed = goal["solved"], goal["proposal"]["weights"]
    assert (solved["feasibility"], solved["what_if"], solved["in_the_way"]) == ("feasible", "simulator", [])
    assert sum(solved["weights"].values()) == pytest.approx(1)
    assert solved["weights"] != proposed
    gmv, retention = solved["demands"]
    assert (gmv["metric"], gmv["basis"], gmv["value"], gmv["origin"]) == ("gmv", "relative", 1.1, "text")
    assert gmv["bound"] == pytest.approx(1.1 * METRICS["gmv"](HOME_FEED.defaults), rel=0.01)
    assert (retention["basis"], retention["bound"]) == ("absolute", 0.56)
    assert [d["solved"]["met"] for d in (gmv, retention)] == [True, True]
    assert retention["proposed"]["met"] is (METRICS["next_day_retention"](proposed) >= 0.56) is False
    assert {m["metric"] for m in solved["metrics"]} == set(METRICS)
    assert (await solving.client.get(f"/v1/goals/{goal['id']}")).json() == goal
    listed = (await solving.client.get("/v1/goals")).json()["items"]
    assert listed == [{**goal, "solved": None}]


async def test_taking_the_solved_weights_makes_a_policy_and_activates_nothing(solving: Desk) -> None:
    goal = await solving.submit(text=TEXT)
    before = await solving.weights()
    policy = await taken(solving, goal, **{"Idempotency-Key": "once", "X-Actor": "ann"})
    assert (policy["source"], policy["origin"], policy["weights"]) == (
        "solved",
        goal["id"],
        goal["solved"]["weights"],
    )
    assert (await solving.weights())["policy_id"] == before["policy_id"]
    again = await taken(solving, goal, **{"Idempotency-Key": "once", "X-Actor": "ann"})
    assert again["policy_id"] == policy["policy_id"]
    made = [p for p in (await solving.client.get("/v1/policies")).json()["items"] if p["source"] == "solved"]
    assert len(made) == 1
    verification = (await solving.client.get("/v1/audit/verification")).json()
    assert verification["intact"] is True


async def test_a_goals_solution_stays_what_it_was_when_other_weights_are_in_force(solving: Desk) -> None:
    goal = await solving.submit(text=TEXT)
    await solving.activate(goal["proposal"]["policy_id"])
    solving.clock.advance(1)
    assert (await solving.client.get(f"/v1/goals/{goal['id']}")).json()["solved"] == goal["solved"]


async def test_weights_that_are_too_far_from_what_is_in_force_by_now_are_refused(solving: Desk) -> None:
    goal = await solving.submit(text=TEXT)
    far = {
        "click": 0.05,
        "gmv": 0.05,
        "satisfaction": 0.3,
        "retention": 0.15,
        "diversity": 0.05,
        "cold_start": 0.35,
        "group_order": 0.05,
    }
    half = {name: round((far[name] + weight) / 2, 4) for name, weight in HOME_FEED.defaults.items()}
    for weights in (half, far):
        policy = await solving.edit(weights=weights)
        assert (await solving.approve(policy)).status_code == 200
        assert (await solving.activate(policy["policy_id"])).status_code == 200
    answer = await solving.client.post(f"/v1/goals/{goal['id']}/solved")
    assert "don't pass the gate" in assert_problem(answer, 422, "gate_refused")["detail"]


async def test_an_infeasible_goal_says_what_is_in_the_way(solving: Desk) -> None:
    solved = (await solving.submit(text="GMV提升10%，次日留存不低于90%"))["solved"]
    assert solved["feasibility"] == Feasibility.INFEASIBLE
    (blocker,) = solved["in_the_way"]
    assert (blocker["utility"], blocker["bound"]) == ("retention", 0.9)
    assert 0.5 < blocker["nearest"] < 0.9


async def test_targets_beside_the_text_count(solving: Desk) -> None:
    solved = (await solving.submit(text=TEXT, targets={"retention": 0.57, "gmv": 1e8}))["solved"]
    assert [(d["utility"], d["bound"], d["origin"]) for d in solved["demands"]] == [("retention", 0.57, "targets")]
    assert [(i["utility"], i["code"]) for i in solved["not_comparable"]] == [("gmv", "unit")]


async def test_what_demands_nothing_isnt_solved(setup: Setup, solver: SurfaceSolver) -> None:
    async with replace(setup, solver=solver).start(model=ScriptedModel([RAISE_GMV, NOTHING])) as desk:
        for text in ("Raise GMV", "Good morning"):
            goal = await desk.submit(text=text)
            assert goal["solved"] is None
            answer = await desk.client.post(f"/v1/goals/{goal['id']}/solved", json={})
            assert_problem(answer, 409, "nothing_solved")
        assert_problem(await desk.client.post("/v1/goals/goal_none/solved"), 404, "goal_unknown")


async def test_without_a_surface_a_goal_has_its_proposal_alone(desk: Desk) -> None:
    assert (await desk.submit(text="Raise GMV by 15%"))["solved"] is None
