from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import pytest

from reward_llm.api import ApiConfig
from reward_llm.domain.access import Grant, Role
from tests.api.callers import office
from tests.api.golden import NAME, PRODUCTION, STAGING, VERSIONS, add, consent, model, promote, write_golden_set
from tests.api.harness import Desk, Setup, assert_problem

NEW = {"If-None-Match": "*"}


@pytest.fixture
async def desk(setup: Setup) -> AsyncIterator[Desk]:
    write_golden_set(setup.path.parent)
    async with setup.start(model=model()) as desk:
        yield desk


async def history(desk: Desk, label: str = PRODUCTION) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await desk.client.get(f"{label}/history")).json()["items"]
    return items


async def test_a_version_that_reads_well_enough_goes_into_production(desk: Desk) -> None:
    version = await add(desk, quality=4, threshold=0.9)
    response = await promote(desk, 2)
    assert (response.status_code, response.json()["version"], response.json()["moved_by"]) == (200, 2, "wang")
    assert response.headers["etag"] == '"1"'
    assert (await desk.client.get(f"{VERSIONS}/2")).json()["labels"] == ["production"]
    (move,) = await history(desk)
    assert (move["from"], move["to"], move["reason"], move["overridden_by"]) == (1, 2, "better", [])
    evidence = move["evidence"]
    assert (evidence["threshold"], evidence["shortfalls"]) == (0.9, [])
    assert (evidence["candidate"]["score"], evidence["replaced"]["score"]) == (1.0, 0.75)
    assert evidence["candidate"]["content_hash"] == version["content_hash"]


async def test_production_decides_what_the_next_goal_is_read_with(desk: Desk) -> None:
    before = (await desk.submit())["proposal"]
    version = await add(desk)
    assert (await promote(desk, 2)).status_code == 200
    after = (await desk.submit(text="Raise GMV once more"))["proposal"]
    assert (before["prompt"], after["prompt"]) == ("goal_to_intents@1", "goal_to_intents@2")
    assert after["prompt_hash"] == version["content_hash"]
    assert after["prompt_reason"] is None


async def test_a_version_below_its_threshold_is_refused_with_what_was_measured(desk: Desk) -> None:
    await add(desk, quality=3, threshold=0.9)
    problem = assert_problem(await promote(desk, 2), 409, "evaluation_below")
    assert problem["evidence"]["candidate"]["score"] == problem["evidence"]["replaced"]["score"] == 0.75
    assert len(problem["evidence"]["shortfalls"]) == 1
    assert [f["id"] for f in problem["evidence"]["candidate"]["failures"]] == ["four-4"]
    assert (await desk.client.get(PRODUCTION)).json()["version"] == 1
    assert (await desk.actions())[0] == "prompt.move_refused"
    assert await history(desk) == []


async def test_a_version_below_the_one_that_it_replaces_is_refused(desk: Desk) -> None:
    await add(desk, quality=2, threshold=0.5)
    problem = assert_problem(await promote(desk, 2), 409, "evaluation_below")
    assert "version 1, which it would replace" in problem["evidence"]["shortfalls"][-1]
    assert (await desk.submit())["proposal"]["prompt"] == "goal_to_intents@1"


async def test_two_reviewers_may_override_what_was_measured(desk: Desk) -> None:
    version = await add(desk, quality=1, author="li")
    given = await consent(desk, version, "wang")
    assert (given.status_code, given.json()["given_by"]) == (201, "wang")
    assert_problem(await promote(desk, 2), 409, "evaluation_below")
    assert (await consent(desk, version, "zhao")).status_code == 201
    assert (await promote(desk, 2)).json()["version"] == 2
    assert (await history(desk))[0]["overridden_by"] == ["wang", "zhao"]
    listed = (await desk.client.get(f"{PRODUCTION}/overrides?version=2")).json()["items"]
    assert [o["given_by"] for o in listed] == ["wang", "zhao"]


async def test_who_moves_production_may_be_one_of_the_two(desk: Desk) -> None:
    version = await add(desk, quality=1, author="li")
    assert_problem(await promote(desk, 2, "wang", override=True), 409, "evaluation_below")
    assert (await consent(desk, version, "zhao")).status_code == 201
    assert (await promote(desk, 2, "wang")).status_code == 200
    assert (await history(desk))[0]["overridden_by"] == ["wang", "zhao"]


async def test_one_reviewer_twice_is_one(desk: Desk) -> None:
    version = await add(desk, quality=1, author="li")
    first, again = [(await consent(desk, version, "wang")).json() for _ in range(2)]
    assert first == again
    assert_problem(await promote(desk, 2, "wang", override=True), 409, "evaluation_below")


async def test_the_authors_consent_doesnt_count(desk: Desk) -> None:
    version = await add(desk, quality=1, author="li")
    assert_problem(await consent(desk, version, "li"), 409, "override_forbidden")
    assert (await desk.actions())[0] == "prompt.override_refused"
    assert (await consent(desk, version, "wang")).status_code == 201
    assert_problem(await promote(desk, 2, "li", override=True), 409, "override_forbidden")
    assert_problem(await promote(desk, 2, "li"), 409, "evaluation_below")


async def test_consent_to_one_version_is_none_to_another(desk: Desk) -> None:
    first, second = await add(desk, quality=1), await add(desk, quality=2)
    for actor in ("wang", "zhao"):
        assert (await consent(desk, first, actor)).status_code == 201
    assert_problem(await promote(desk, 3), 409, "evaluation_below")
    mixed_up = {**second, "content_hash": first["content_hash"]}
    assert_problem(await consent(desk, mixed_up, "wang"), 409, "content_hash_mismatch")


async def test_a_label_that_was_moved_since_it_was_read_isnt_moved(desk: Desk) -> None:
    for quality in (3, 4):
        await add(desk, quality=quality)
    etag = (await desk.client.get(PRODUCTION)).headers["etag"]
    assert (await promote(desk, 3)).status_code == 200
    late = await desk.client.put(PRODUCTION, json={"version": 2, "reason": "mine"}, headers={"If-Match": etag})
    problem = assert_problem(late, 412, "precondition_failed")
    assert (problem["current"]["version"], problem["current"]["revision"]) == (3, 1)
    assert problem["differences"] == [{"path": "version", "yours": 2, "current": 3}]
    assert (await desk.client.get(PRODUCTION)).json() == problem["current"]


async def test_of_two_moves_at_once_one_is_told_that_it_is_late(setup: Setup) -> None:
    write_golden_set(setup.path.parent)
    async with setup.start(model=model(), config=ApiConfig(evaluations=2)) as desk:
        for threshold in (0.5, 0.6):
            await add(desk, threshold=threshold)
        answers = await asyncio.gather(promote(desk, 2), promote(desk, 3))
        statuses = {answer.status_code: answer for answer in answers}
        assert set(statuses) == {200, 412}
        problem = assert_problem(statuses[412], 412, "precondition_failed")
        assert problem["current"] == statuses[200].json() == (await desk.client.get(PRODUCTION)).json()
        assert len(await history(desk)) == 1


async def test_a_move_says_where_the_label_stands(desk: Desk) -> None:
    await add(desk)
    sent = {"version": 2, "reason": "blindly"}
    assert_problem(await desk.client.put(PRODUCTION, json=sent), 428, "precondition_required")
    assert_problem(await desk.client.put(STAGING, json=sent), 428, "precondition_required")
    assert_problem(await desk.client.put(PRODUCTION, json=sent, headers=NEW), 412, "precondition_failed")
    missing = await desk.client.put(STAGING, json=sent, headers={"If-Match": '"0"'})
    assert "current" not in assert_problem(missing, 412, "precondition_failed")
    assert_problem(await desk.client.put(STAGING, json=sent, headers={"If-Match": "1"}), 422, "invalid_input")


async def test_other_labels_move_without_being_measured(desk: Desk) -> None:
    await add(desk, quality=1, threshold=1.0)
    made = await desk.client.put(STAGING, json={"version": 2, "reason": "try it"}, headers=NEW)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    again = await desk.client.put(STAGING, json={"version": 2, "reason": "try it"}, headers=NEW)
    assert_problem(again, 412, "precondition_failed")
    back = await desk.client.put(STAGING, json={"version": 1, "reason": "no"}, headers={"If-Match": '"1"'})
    assert (back.status_code, back.headers["etag"]) == (200, '"2"')
    assert [(m["from"], m["to"], m["evidence"]) for m in await history(desk, STAGING)] == [
        (2, 1, None),
        (None, 2, None),
    ]
    labels = (await desk.client.get(f"/v1/prompts/{NAME}/labels")).json()["items"]
    assert [x["label"] for x in labels] == ["production", "staging"]
    assert desk.model.requests == []


@pytest.mark.parametrize(
    ("label", "sent", "status", "code"),
    [
        ("production", {"version": 9, "reason": "x"}, 404, "prompt_version_unknown"),
        ("production", {"version": 1, "reason": " "}, 422, "invalid_input"),
        ("production", {"version": 1}, 422, "invalid_input"),
        ("production", {"version": "1", "reason": "x"}, 422, "invalid_input"),
        ("production", {"version": 2**31, "reason": "x"}, 422, "invalid_input"),
    ],
)
async def test_a_move_that_cant_be_done_is_refused_on_record(
    desk: Desk, label: str, sent: dict[str, Any], status: int, code: str
) -> None:
    response = await desk.client.put(f"/v1/prompts/{NAME}/labels/{label}", json=sent, headers={"If-Match": '"0"'})
    assert_problem(response, status, code)
    assert await desk.actions() == ["prompt.move_refused"]


@pytest.mark.parametrize("label", ["Staging", "1st", "a" * 41, "a.b"])
async def test_a_new_label_is_a_name(desk: Desk, label: str) -> None:
    path = f"/v1/prompts/{NAME}/labels/{label}"
    assert_problem(await desk.client.put(path, json={"version": 1, "reason": "x"}, headers=NEW), 422, "invalid_input")


async def test_only_production_can_be_overridden(desk: Desk) -> None:
    version = await add(desk)
    sent = {"version": 2, "content_hash": version["content_hash"], "reason": "x"}
    assert_problem(await desk.client.post(f"{STAGING}/overrides", json=sent), 422, "invalid_input")
    sent = {"version": 2, "reason": "x", "override": True}
    assert_problem(await desk.client.put(STAGING, json=sent, headers=NEW), 422, "invalid_input")


async def test_unknown_labels_have_no_history(desk: Desk) -> None:
    assert_problem(await desk.client.get(STAGING), 404, "prompt_label_unknown")
    assert_problem(await desk.client.get(f"{STAGING}/history"), 404, "prompt_label_unknown")
    assert_problem(await desk.client.get("/v1/prompts/none/labels"), 404, "prompt_unknown")


async def test_the_history_is_paged(desk: Desk) -> None:
    await desk.client.put(STAGING, json={"version": 1, "reason": "1"}, headers=NEW)
    for revision in (1, 2):
        headers = {"If-Match": f'"{revision}"'}
        await desk.client.put(STAGING, json={"version": 1, "reason": str(revision + 1)}, headers=headers)
    first = (await desk.client.get(f"{STAGING}/history?limit=2")).json()
    rest = (await desk.client.get(f"{STAGING}/history?cursor={first['next_cursor']}")).json()
    assert [m["reason"] for m in (*first["items"], *rest["items"])] == ["3", "2", "1"]


async def test_only_approvers_move_production_and_consent(setup: Setup) -> None:
    write_golden_set(setup.path.parent)
    async with office(setup) as at:
        editor = await at.token(Grant(role=Role.EDITOR), name="ed")
        approver = await at.token(Grant(role=Role.APPROVER), name="ap")
        viewer = await at.token(Grant(role=Role.VIEWER, scenario="home_feed"), name="vi")
        assert (await at.ask("GET", PRODUCTION, viewer)).status_code == 200
        moves = [
            (STAGING, viewer, NEW, 403),
            (STAGING, editor, NEW, 201),
            (PRODUCTION, editor, {"If-Match": '"0"'}, 403),
            (PRODUCTION, approver, {"If-Match": '"0"'}, 409),
        ]
        for path, token, headers, status in moves:
            moved = await at.ask("PUT", path, token, json={"version": 1, "reason": "x"}, headers=headers)
            assert moved.status_code == status, (path, moved.text)
        hashed = (await at.ask("GET", f"{VERSIONS}/1", viewer)).json()["content_hash"]
        sent = {"version": 1, "content_hash": hashed, "reason": "x"}
        overrides = f"{PRODUCTION}/overrides"
        assert_problem(await at.ask("POST", overrides, editor, json=sent), 403, "forbidden")
        given = await at.ask("POST", overrides, approver, json=sent, headers={"X-Actor": "somebody"})
        assert given.json()["given_by"] == approver.token.name


async def test_the_prompt_that_ships_answers_while_the_store_of_prompts_is_away(setup: Setup) -> None:
    write_golden_set(setup.path.parent)
    async with setup.start(model=model()) as desk:
        await add(desk)
        assert (await promote(desk, 2)).status_code == 200
    with sqlite3.connect(setup.path, isolation_level=None) as connection:
        connection.execute("ALTER TABLE prompt_labels RENAME TO lost")
    async with setup.start(model=model()) as desk:
        proposal = (await desk.submit())["proposal"]
        assert_problem(await desk.client.get("/v1/prompts"), 503, "store_unavailable")
    assert proposal["prompt"] == "goal_to_intents@1"
    assert proposal["prompt_reason"].startswith("store_unavailable: ")
