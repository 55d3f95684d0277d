from __future__ import annotations

import asyncio

from reward_llm.api import ApiConfig
from tests.api.harness import EDIT, EDITED, GOAL, RAISE_GMV, Desk, PausedModel, Setup, assert_problem

KEY = {"Idempotency-Key": "618-first"}


async def test_the_same_request_twice_gives_one_goal(desk: Desk) -> None:
    first = await desk.client.post("/v1/goals", json=GOAL, headers=KEY)
    reordered = dict(reversed(GOAL.items()))
    second = await desk.client.post("/v1/goals", json=reordered, headers=KEY)
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert len((await desk.client.get("/v1/goals")).json()["items"]) == 1
    assert len(desk.model.requests) == 1


async def test_requests_without_a_key_are_their_own(desk: Desk) -> None:
    assert (await desk.submit())["id"] != (await desk.submit())["id"]


async def test_another_request_with_the_same_key_is_refused(desk: Desk) -> None:
    await desk.client.post("/v1/goals", json=GOAL, headers=KEY)
    other = {**GOAL, "text": "Lower GMV"}
    assert_problem(await desk.client.post("/v1/goals", json=other, headers=KEY), 422, "idempotency_conflict")
    assert_problem(await desk.client.post("/v1/policies", json=EDIT, headers=KEY), 422, "idempotency_conflict")
    assert (await desk.actions())[:2] == ["policy.refused", "goal.refused"]


async def test_of_two_at_once_one_does_the_work_and_the_other_waits(setup: Setup) -> None:
    model = PausedModel([RAISE_GMV])
    async with setup.start(model=model) as desk:
        both = [asyncio.create_task(desk.client.post("/v1/goals", json=GOAL, headers=KEY)) for _ in range(2)]
        await model.asked.wait()
        await asyncio.sleep(0.05)
        model.may_answer.set()
        first, second = await asyncio.gather(*both)
        assert (first.status_code, first.json()) == (second.status_code, second.json())
        assert first.status_code == 201
        assert len(model.requests) == 1


async def test_a_repeat_that_waits_too_long_is_told_to_come_again(setup: Setup) -> None:
    model = PausedModel([RAISE_GMV])
    async with setup.start(model=model, config=ApiConfig(wait_s=0.05)) as desk:
        first = await desk.client.post("/v1/goals", json=GOAL, headers=KEY)
        assert first.status_code == 202
        second = await desk.client.post("/v1/goals", json=GOAL, headers=KEY)
        problem = assert_problem(second, 409, "goal_pending")
        assert first.headers["location"] in problem["hint"]
        assert int(second.headers["retry-after"]) > 0
        model.may_answer.set()


async def test_an_edit_is_made_once(desk: Desk) -> None:
    first = await desk.client.post("/v1/policies", json=EDIT, headers=KEY)
    second = await desk.client.post("/v1/policies", json=EDIT, headers=KEY)
    assert first.json() == second.json()
    assert len((await desk.client.get("/v1/policies")).json()["items"]) == 1


async def test_an_activation_is_made_once(desk: Desk) -> None:
    policy = await desk.edit()
    path = f"/v1/policies/{policy['policy_id']}/activation"
    first, second = [await desk.client.post(path, headers=KEY) for _ in range(2)]
    assert first.json() == second.json()
    assert len((await desk.client.get("/v1/activations")).json()["items"]) == 1


async def test_a_repeated_edit_is_answered_even_if_the_gate_would_refuse_it_by_now(desk: Desk) -> None:
    first = await desk.client.post("/v1/policies", json=EDIT, headers=KEY)
    far = await desk.edit(weights=EDITED | {"click": 0.05, "gmv": 0.1, "diversity": 0.4, "cold_start": 0.1})
    await desk.approve(far)
    assert (await desk.activate(far["policy_id"])).status_code == 200
    assert (await desk.client.post("/v1/policies", json=EDIT)).status_code == 422
    again = await desk.client.post("/v1/policies", json=EDIT, headers=KEY)
    assert (again.status_code, again.json()["policy_id"]) == (first.status_code, first.json()["policy_id"])


async def test_a_key_is_its_senders_own(desk: Desk) -> None:
    """Or the second person's approval would be answered, and never given."""
    policy = await desk.edit()
    path = f"/v1/policies/{policy['policy_id']}/review"
    sent = {"decision": "approve", "content_hash": policy["content_hash"], "comment": "looked at it"}
    first = await desk.client.post(path, json=sent, headers=KEY | {"X-Actor": "li"})
    assert first.status_code == 200
    second = await desk.client.post(path, json=sent, headers=KEY | {"X-Actor": "wang"})
    assert_problem(second, 422, "idempotency_conflict")
    again = await desk.client.post(path, json=sent, headers=KEY | {"X-Actor": "li"})
    assert again.status_code == 200
    assert [d["by"] for d in again.json()["decisions"]] == ["li"]
