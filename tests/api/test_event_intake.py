"""`POST /v1/events`, and `POST /v1/agents/decision` that lives by them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from reward_llm.domain.access import Grant, Role
from reward_llm.domain.events import MAX_EVENTS
from tests.api.callers import office
from tests.api.harness import NOON, Desk, Setup, assert_problem

AT = NOON.isoformat()
CLICK = {"event_id": "e1", "type": "click", "at": AT, "scenario": "home_feed", "user": "u1", "item": "i1"}
CANDIDATES = [{"item_id": f"i{n}", "category": "ab"[n % 2], "price": 5} for n in range(8)]
QUERY = {"scenario": "home_feed", "user": "u1", "candidates": CANDIDATES, "size": 3}


async def send(desk: Desk, *events: Any) -> dict[str, Any]:
    answer = await desk.client.post("/v1/events", json={"events": list(events)})
    assert answer.status_code == 202, answer.text
    taken: dict[str, Any] = answer.json()
    return taken


async def decide(desk: Desk, **changes: Any) -> dict[str, Any]:
    answer = await desk.client.post("/v1/agents/decision", json={**QUERY, **changes})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def decide_after(desk: Desk, events: int) -> dict[str, Any]:
    """A decision by that many events of the user."""
    async with asyncio.timeout(10):
        while (made := await decide(desk))["user"]["events"] < events:  # noqa: ASYNC110 - another task works it off
            await asyncio.sleep(0.01)
    return made


@pytest.fixture
async def quiet(setup: Setup) -> AsyncIterator[Desk]:
    async with setup.start() as desk:
        yield desk


async def test_good_events_are_taken_in_and_bad_ones_are_told_apart(quiet: Desk) -> None:
    bad: list[tuple[Any, str, str]] = [
        ({**CLICK, "scenario": "nowhere"}, "scenario_unknown", ""),
        ({**CLICK, "segment": "nobody"}, "segment_unknown", ""),
        ({**CLICK, "type": "stare"}, "event_invalid", "type"),
        ({**CLICK, "at": "2026-06-18T12:00:00"}, "event_invalid", "at"),
        ({**CLICK, "at": "2026-06-19T12:00:00Z"}, "event_invalid", "at"),
        ({**CLICK, "at": "2024-06-19T12:00:00Z"}, "event_invalid", "at"),
        ({**CLICK, "type": "purchase"}, "event_invalid", "value"),
        ({**CLICK, "propensity": 0}, "event_invalid", "propensity"),
        ({**CLICK, "mood": "sunny"}, "event_invalid", "mood"),
        ({k: v for k, v in CLICK.items() if k != "user"}, "event_invalid", "user"),
        ("click", "event_invalid", ""),
        (None, "event_invalid", ""),
    ]
    taken = await send(quiet, CLICK, *(event for event, _, _ in bad), {**CLICK, "event_id": "e2"}, CLICK)
    assert (taken["accepted"], taken["duplicates"]) == (2, 1)
    assert [r["index"] for r in taken["rejected"]] == list(range(1, len(bad) + 1))
    for told, (_, code, path) in zip(taken["rejected"], bad, strict=True):
        assert told["code"] == code
        assert [v["path"] for v in told["violations"]] == ([path] if code == "event_invalid" else [])
    assert taken["rejected"][0]["event_id"] == "e1"


@pytest.mark.parametrize("document", [{}, [], {"events": []}, {"events": [CLICK], "more": 1}, {"events": CLICK}])
async def test_what_is_no_batch_is_refused(quiet: Desk, document: Any) -> None:
    assert_problem(await quiet.client.post("/v1/events", json=document), 422, "invalid_input")


async def test_a_thousand_fit_and_more_do_not(quiet: Desk) -> None:
    many = [{**CLICK, "event_id": f"e{n}"} for n in range(MAX_EVENTS + 1)]
    assert (await send(quiet, *many[:MAX_EVENTS]))["accepted"] == MAX_EVENTS
    assert_problem(await quiet.client.post("/v1/events", json={"events": many}), 422, "invalid_input")
    too_much = {"events": [{**CLICK, "item": "i" * 2_000_000}]}
    assert_problem(await quiet.client.post("/v1/events", json=too_much), 413, "body_too_large")


async def test_events_of_scenarios_that_are_not_ones_own_are_refused_one_by_one(setup: Setup) -> None:
    async with office(setup) as at:
        token = await at.token(Grant(role=Role.SUBMITTER, scenario="home_feed"))
        events = [CLICK, {**CLICK, "scenario": "video_feed"}]
        answer = (await at.ask("POST", "/v1/events", token, json={"events": events})).json()
        assert (answer["accepted"], [r["code"] for r in answer["rejected"]]) == (1, ["forbidden"])
        viewer = await at.token(Grant(role=Role.VIEWER), name="viewer")
        assert_problem(await at.ask("POST", "/v1/events", viewer, json={"events": events}), 403, "forbidden")


async def test_what_happened_changes_the_next_decision(quiet: Desk) -> None:
    before = await decide(quiet)
    assert (before["user"]["events"], before["state"], before["reason"]) == (0, "live", None)
    liked = [{**CLICK, "event_id": f"c{n}", "type": "complete", "item": "i5", "category": "b"} for n in range(9)]
    clicks = [{**CLICK, "event_id": f"k{n}", "item": "i5", "category": "b"} for n in range(9)]
    await send(quiet, *liked, *clicks)
    after = await decide_after(quiet, 18)
    assert after["user"]["satisfaction"] > before["user"]["satisfaction"]
    assert after["slate"][0]["item_id"] == "i5"


async def test_a_new_policy_changes_the_next_decision(quiet: Desk) -> None:
    before = await decide(quiet)
    assert (before["source"], before["rule"], before["version"]) == ("default", "default", 0)
    policy = await quiet.edit()
    assert (await quiet.activate(policy["policy_id"])).status_code == 200
    after = await decide(quiet)
    assert (after["policy_id"], after["source"], after["version"]) == (policy["policy_id"], "human", 1)
    assert after["weights"] == policy["weights"]


async def test_a_decision_that_cannot_be_made_says_why(quiet: Desk) -> None:
    for changes, status, code in (
        ({"scenario": "nowhere"}, 404, "scenario_unknown"),
        ({"segment": "nobody"}, 404, "segment_unknown"),
        ({"size": 9}, 422, "ranking_invalid"),
        ({"size": 0}, 422, "invalid_input"),
        ({"user": ""}, 422, "invalid_input"),
        ({"candidates": []}, 422, "invalid_input"),
    ):
        assert_problem(await quiet.client.post("/v1/agents/decision", json={**QUERY, **changes}), status, code)


async def test_events_and_decisions_are_counted(quiet: Desk) -> None:
    await send(quiet, CLICK, CLICK, "click")
    await decide(quiet)
    counted = (await quiet.client.get("/metrics")).text
    for outcome in ("accepted", "duplicate", "rejected"):
        assert f'reward_llm_events_total{{outcome="{outcome}"}} 1.0' in counted
    assert 'reward_llm_decisions_total{mode="exploit",scenario="home_feed",state="live"} 1.0' in counted
