"""What came of goals, over HTTP."""

from __future__ import annotations

import pytest

from reward_llm.domain.access import Grant, Role
from tests.api.callers import ADMIN, office
from tests.api.harness import GOAL, Desk, Setup, assert_problem
from tests.memories import put_down


async def test_a_goal_that_nobody_looked_at_has_no_outcomes(desk: Desk) -> None:
    goal = await desk.submit()
    answer = await desk.client.get(f"/v1/goals/{goal['id']}/outcomes")
    assert answer.status_code == 200
    assert answer.json() == {"goal_id": goal["id"], "scenario": "home_feed", "segment": None, "tried": []}


async def test_what_was_predicted_stands_beside_what_was_observed(desk: Desk, setup: Setup) -> None:
    goal = await desk.submit()
    policy_id = goal["proposal"]["policy_id"]
    await put_down(setup.url, goal["id"], policy_id)
    (tried,) = (await desk.client.get(f"/v1/goals/{goal['id']}/outcomes")).json()["tried"]
    assert (tried["policy_id"], tried["source"]) == (policy_id, "rules")
    predicted = tried["predicted"]["metrics"]["ctr"]
    assert predicted["value"] == 0.2
    assert (predicted["low"], predicted["high"]) == (pytest.approx(0.1804), pytest.approx(0.2196))
    assert [(o["since"], o["until"]) for o in tried["observations"]] == [
        ("2026-06-18T12:00:00Z", "2026-06-19T12:00:00Z"),
        ("2026-06-18T12:00:00Z", "2026-06-25T12:00:00Z"),
    ]
    week = tried["observations"][1]
    assert week["metrics"]["ctr"] == {"value": 0.25, "low": 0.225, "high": 0.275, "events": 1_000}
    assert week["before"]["gmv"]["value"] == 59.0


async def test_where_nothing_predicts_that_is_null(desk: Desk, setup: Setup) -> None:
    goal = await desk.submit()
    await put_down(setup.url, goal["id"], goal["proposal"]["policy_id"], predicted=False, days=())
    (tried,) = (await desk.client.get(f"/v1/goals/{goal['id']}/outcomes")).json()["tried"]
    assert tried["predicted"] is None
    assert tried["observations"] == []


async def test_a_goal_that_isnt_there_has_none(desk: Desk) -> None:
    assert_problem(await desk.client.get("/v1/goals/goal_0/outcomes"), 404, "goal_unknown")


async def test_only_who_may_read_the_scenario_is_told(setup: Setup) -> None:
    async with office(setup) as at:
        boss = await at.token(ADMIN, name="boss")
        goal = (await at.ask("POST", "/v1/goals", boss, json=GOAL)).json()["id"]
        here = await at.token(Grant(role=Role.VIEWER, scenario="home_feed"), name="here")
        there = await at.token(Grant(role=Role.VIEWER, scenario="video_feed"), name="there")
        path = f"/v1/goals/{goal}/outcomes"
        assert (await at.ask("GET", path, here)).status_code == 200
        assert_problem(await at.ask("GET", path, there), 403, "forbidden")
        assert_problem(await at.ask("GET", path, None), 401, "unauthenticated")
