from __future__ import annotations

import asyncio

from reward_llm.api import ApiConfig
from reward_llm.domain.goal import Goal, GoalState
from reward_llm.domain.scenario import Scope
from reward_llm.store import SqlStore
from tests.api.harness import GOAL, NOON, RAISE_GMV, Desk, PausedModel, Setup, assert_problem


async def settled(desk: Desk, goal_id: str) -> bool:
    for _ in range(200):
        if (await desk.store.goal(goal_id)).state is not GoalState.RECEIVED:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_a_start_reads_what_a_crash_left_behind(setup: Setup) -> None:
    store = SqlStore.open(setup.url)
    for name, scenario in (("goal_left", "home_feed"), ("goal_orphan", "gone_feed"), ("goal_late", "home_feed")):
        await store.record_goal(Goal(id=name, scope=Scope(scenario), text="raise GMV", submitted_at=NOON))
    await store.aclose()
    async with setup.start() as desk:
        assert await settled(desk, "goal_left")
        assert await settled(desk, "goal_late")
        orphan = (await desk.client.get("/v1/goals/goal_orphan")).json()
        assert orphan["state"] == "received"


async def test_a_shutdown_lets_a_goal_finish(setup: Setup) -> None:
    model = PausedModel([RAISE_GMV])
    async with setup.start(model=model) as desk:
        goal_id = (await desk.client.post("/v1/goals?wait=false", json=GOAL)).json()["id"]
        asyncio.get_running_loop().call_later(0.05, model.may_answer.set)
    async with setup.start() as desk:
        assert (await desk.store.goal(goal_id)).state is GoalState.PROPOSED


async def test_a_goal_that_a_shutdown_cut_off_is_read_by_the_next_start(setup: Setup) -> None:
    model = PausedModel([RAISE_GMV])
    async with setup.start(model=model, config=ApiConfig(grace_s=0.01)) as desk:
        goal_id = (await desk.client.post("/v1/goals?wait=false", json=GOAL)).json()["id"]
        await model.asked.wait()
    async with setup.start() as desk:
        assert await settled(desk, goal_id)


async def test_a_goal_survives_a_store_that_goes_away_while_it_is_read(setup: Setup) -> None:
    model = PausedModel([RAISE_GMV])
    async with setup.start(model=model, config=ApiConfig(wait_s=0.5, sweep_s=0.05)) as desk:
        request = asyncio.create_task(desk.client.post("/v1/goals", json=GOAL))
        await model.asked.wait()
        setup.take_the_store_away()
        model.may_answer.set()
        assert_problem(await request, 503, "store_unavailable")
        setup.bring_the_store_back()
        ((goal),) = (await desk.client.get("/v1/goals")).json()["items"]
        desk.clock.advance(60)
        assert await settled(desk, goal["id"])


async def test_repeating_a_goal_that_was_left_unread_reads_it(setup: Setup) -> None:
    model, key = PausedModel([RAISE_GMV]), {"Idempotency-Key": "k"}
    async with setup.start(model=model) as desk:
        request = asyncio.create_task(desk.client.post("/v1/goals", json=GOAL, headers=key))
        await model.asked.wait()
        setup.take_the_store_away()
        model.may_answer.set()
        assert_problem(await request, 503, "store_unavailable")
        setup.bring_the_store_back()
        again = await desk.client.post("/v1/goals", json=GOAL, headers=key)
        assert (again.status_code, again.json()["state"]) == (201, "proposed")


async def test_an_application_starts_while_the_store_is_away(setup: Setup) -> None:
    setup.take_the_store_away()
    async with setup.start() as desk:
        served = await desk.weights()
        assert (served["stale"], served["rule"]) == (True, "default")
        assert (await desk.client.get("/readyz")).status_code == 503
        setup.bring_the_store_back()
        await asyncio.sleep(0.2)
        assert (await desk.client.get("/readyz")).status_code == 200
