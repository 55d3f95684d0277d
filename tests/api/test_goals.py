from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from reward_llm.api import ApiConfig
from reward_llm.errors import ModelUnavailable
from reward_llm.generation.clients.scripted import ScriptedModel
from tests.api.harness import GOAL, NOON, NOTHING, RAISE_GMV, Desk, PausedModel, Setup, assert_problem
from tests.choices import GMV_UP, chosen, unscaled
from tests.strategies import HOME_FEED


async def test_a_goal_becomes_a_proposal(desk: Desk) -> None:
    response = await desk.client.post("/v1/goals", json={**GOAL, "segment": "new_user"})
    answer = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/v1/goals/{answer['id']}"
    assert (answer["state"], answer["decision"]) == ("proposed", "propose")
    assert (answer["scenario"], answer["segment"], answer["text"]) == ("home_feed", "new_user", GOAL["text"])
    intent = answer["interpretation"]["intents"][0]
    assert (intent["utility"], intent["concept"], intent["direction"]) == ("gmv", "gmv", "raise")
    assert (intent["emphasis"], intent["strength"], intent["role"]) == ("clear", 0.6, "objective")
    proposal = answer["proposal"]
    assert proposal["previous_weights"] == dict(HOME_FEED.defaults)
    assert proposal["weights"]["gmv"] > proposal["previous_weights"]["gmv"]
    assert (proposal["source"], proposal["reason"], proposal["version"]) == ("scripted", None, 1)
    assert proposal["attempts"][0]["succeeded"]
    assert proposal["prompt"]
    assert proposal["model"] == "scripted"


async def test_a_reading_that_needs_a_person_says_why_and_what_else_it_may_be(setup: Setup) -> None:
    doubted = chosen(GMV_UP, {'gmv","direction":"': (0.6, {'click","direction":"': 0.3})})
    async with setup.start(model=ScriptedModel([doubted], calibration=unscaled(0.8))) as desk:
        answer = await desk.submit()
        assert (await desk.client.get(f"/v1/goals/{answer['id']}")).json() == answer
    proposal = answer["proposal"]
    assert answer["interpretation"]["calibrated"]
    assert proposal["confidence"] == pytest.approx(0.6, abs=1e-5)
    assert proposal["needs_review"]
    assert proposal["review"] == {
        "reason": "low_confidence",
        "threshold": 0.8,
        "alternatives": [
            {
                "decision": "propose",
                "intents": [{"utility": "click", "direction": "raise", "emphasis": "clear"}],
                "probability": 0.3,
            }
        ],
    }


async def test_an_uncalibrated_reading_says_so_and_needs_nobody(desk: Desk) -> None:
    answer = await desk.submit()
    assert not answer["interpretation"]["calibrated"]
    assert (answer["proposal"]["needs_review"], answer["proposal"]["review"]) == (False, None)


async def test_what_was_read_by_rules_needs_a_person(setup: Setup) -> None:
    async with setup.start(model=ScriptedModel([ModelUnavailable("not there")])) as desk:
        answer = await desk.submit()
    assert answer["proposal"]["source"] == "rules"
    assert answer["proposal"]["review"] == {"reason": "read_by_rules", "threshold": None, "alternatives": []}


async def test_spans_quote_the_text(desk: Desk) -> None:
    answer = await desk.submit(text="618大促，GMV提升15%")
    (number,) = [n for n in answer["numbers"] if n["unit"] == "percent"]
    assert number["value"] == pytest.approx(0.15)
    span = number["span"]
    assert answer["text"][span["start"] : span["end"]] == span["text"] == "15%"


async def test_a_goal_can_be_read_again(desk: Desk) -> None:
    answer = await desk.submit(targets={"gmv": 100_000_000}, valid_until="2026-06-21T00:00:00+08:00")
    again = (await desk.client.get(f"/v1/goals/{answer['id']}")).json()
    assert again == answer
    assert again["targets"] == {"gmv": 1e8}
    assert again["window"] == {"valid_from": None, "valid_until": "2026-06-20T16:00:00Z"}


async def test_an_unknown_goal_is_not_found(desk: Desk) -> None:
    assert_problem(await desk.client.get("/v1/goals/goal_none"), 404, "goal_unknown")


async def test_a_goal_that_asks_for_nothing_gives_the_active_policy(setup: Setup) -> None:
    async with setup.start(model=ScriptedModel([NOTHING])) as desk:
        first = await desk.submit(text="Good morning, everybody")
        assert (first["state"], first["decision"]) == ("no_change", "no_change")
        assert first["proposal"]["version"] == 0
        assert first["proposal"]["weights"] == first["proposal"]["previous_weights"] == dict(HOME_FEED.defaults)
        default = (await desk.client.get(f"/v1/policies/{first['proposal']['policy_id']}")).json()
        assert default["source"] == "default"

        policy = await desk.edit()
        await desk.activate(policy["policy_id"])
        second = await desk.submit(text="Good morning, everybody")
        assert second["proposal"]["policy_id"] == policy["policy_id"]


async def test_a_proposal_keeps_the_weights_that_it_was_read_against(desk: Desk) -> None:
    first = await desk.submit()
    desk.clock.advance(1)
    await desk.activate(first["proposal"]["policy_id"])
    desk.clock.advance(1)
    second = await desk.submit()
    again = (await desk.client.get(f"/v1/goals/{first['id']}")).json()
    assert again["state"] == "activated"
    assert again["proposal"]["previous_weights"] == dict(HOME_FEED.defaults)
    assert second["proposal"]["previous_weights"] == first["proposal"]["weights"]


async def test_a_model_that_is_away_never_reaches_the_client(setup: Setup) -> None:
    async with setup.start(model=ScriptedModel([ModelUnavailable("connection refused")])) as desk:
        answer = await desk.submit()
        assert answer["proposal"]["source"] == "rules"
        assert "connection refused" in answer["proposal"]["reason"]
        exposition = (await desk.client.get("/metrics")).text
        assert 'reward_llm_fallbacks_total{reason="model_unavailable"} 1.0' in exposition


async def test_what_is_taken_out_of_a_text_is_said(desk: Desk) -> None:
    answer = await desk.submit(text="Raise \u202eGMV\x00 by 15%\ud800")
    assert answer["text"] == "Raise GMV by 15%"
    (notice,) = [n for n in answer["interpretation"]["notices"] if n["code"] == "characters_removed"]
    assert notice["message"].startswith("3 ")


async def test_goals_are_paged_newest_first(desk: Desk) -> None:
    ids = [(await desk.submit())["id"] for _ in range(5)]
    seen, cursor = [], None
    while True:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await desk.client.get("/v1/goals", params=query)).json()
        seen += [g["id"] for g in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=nonsense", "state=lost", "scenario=%00"]
)
async def test_a_list_refuses_what_it_cant_use(desk: Desk, query: str) -> None:
    assert_problem(await desk.client.get(f"/v1/goals?{query}"), 422, "invalid_input")


async def test_goals_are_filtered(desk: Desk) -> None:
    await desk.submit()
    for query, count in {
        "scenario=home_feed": 1,
        "scenario=video_feed": 0,
        "state=proposed": 1,
        "state=received": 0,
    }.items():
        assert len((await desk.client.get(f"/v1/goals?{query}")).json()["items"]) == count


async def test_nobody_has_to_wait(setup: Setup) -> None:
    model = PausedModel([RAISE_GMV])
    async with setup.start(model=model) as desk:
        response = await desk.client.post("/v1/goals?wait=false", json=GOAL)
        body = response.json()
        assert (response.status_code, body["state"], set(body)) == (202, "received", {"id", "state"})
        unread = (await desk.client.get(response.headers["location"])).json()
        assert (unread["state"], unread["decision"], unread["proposal"]) == ("received", None, None)
        model.may_answer.set()
        await _until_settled(desk, body["id"])


async def test_a_long_wait_ends_in_a_receipt(setup: Setup) -> None:
    model = PausedModel([RAISE_GMV])
    async with setup.start(model=model, config=ApiConfig(wait_s=0.05)) as desk:
        response = await desk.client.post("/v1/goals", json=GOAL)
        assert (response.status_code, response.json()["state"]) == (202, "received")
        model.may_answer.set()
        await _until_settled(desk, response.json()["id"])


async def test_the_work_is_finished_when_the_client_goes_away(setup: Setup) -> None:
    model = PausedModel([RAISE_GMV])
    async with setup.start(model=model) as desk:
        request = asyncio.create_task(desk.client.post("/v1/goals", json=GOAL))
        await model.asked.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        model.may_answer.set()
        ((goal),) = (await desk.client.get("/v1/goals")).json()["items"]
        await _until_settled(desk, goal["id"])


async def test_who_submits_is_on_record(desk: Desk) -> None:
    response = await desk.client.post("/v1/goals", json=GOAL, headers=[(b"X-Actor", "王芳".encode())])
    goal_id = response.json()["id"]
    records = (await desk.client.get("/v1/audit", params={"subject": goal_id})).json()["items"]
    assert [r["action"] for r in records] == ["goal.proposed", "goal.received"]
    assert records[1]["actor"] == "王芳"
    assert records[1]["at"].endswith("Z")
    assert NOON <= (await desk.store.goal(goal_id)).goal.submitted_at < NOON + timedelta(seconds=1)


async def _until_settled(desk: Desk, goal_id: str) -> None:
    for _ in range(200):
        if (await desk.client.get(f"/v1/goals/{goal_id}")).json()["state"] == "proposed":
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the goal was never read")
