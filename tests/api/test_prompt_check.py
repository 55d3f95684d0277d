"""`POST /v1/prompts/{name}/check`: what is wrong with a draft, before anybody makes it a version."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.golden import NAME, VERSIONS, content, model, write_golden_set
from tests.api.harness import Desk, Setup, assert_problem

CHECK = f"/v1/prompts/{NAME}/check"


@pytest.fixture
async def desk(setup: Setup) -> AsyncIterator[Desk]:
    write_golden_set(setup.path.parent)
    async with setup.start(model=model()) as desk:
        yield desk


async def checked(desk: Desk, **changes: Any) -> dict[str, Any]:
    response = await desk.client.post(CHECK, json={"content": {**await content(desk), **changes}})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_a_draft_that_may_become_a_version_has_that_versions_hash(desk: Desk) -> None:
    found = await checked(desk)
    assert (found["ok"], found["violations"]) == (True, [])
    assert "four" in found["golden_sets"]
    made = await desk.client.post(VERSIONS, json={"content": await content(desk), "reason": "a try"})
    assert made.json()["content_hash"] == found["content_hash"]


async def test_checking_writes_nothing(desk: Desk) -> None:
    await checked(desk)
    await checked(desk, user="{{ secret }}")
    assert len((await desk.client.get(VERSIONS)).json()["items"]) == 1
    assert await desk.actions() == []


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"system": "{{ scenario.name }}\n{{ secret }}"}, "system:2", "variable_undeclared"),
        ({"system": "{% for %}"}, "system:1", "template_syntax"),
        ({"user": "Say something."}, "user:1", "variable_missing"),
        ({"variables": ["goal", "mood"]}, "variables", "variable_unknown"),
        ({"name": "goal_to_points"}, "name", "mismatch"),
        ({"golden": {"set": "none", "threshold": 0.5}}, "golden/set", "unknown"),
        ({"note": "x"}, "note", "extra_forbidden"),
    ],
)
async def test_what_is_wrong_is_named_with_its_place(
    desk: Desk, changes: dict[str, Any], path: str, code: str
) -> None:
    found = await checked(desk, **changes)
    assert not found["ok"]
    assert (path, code) in {(v["path"], v["code"]) for v in found["violations"]}


async def test_variables_say_who_gives_declares_and_uses_them(desk: Desk) -> None:
    found = await checked(desk, variables=["goal", "mood", "scenario"], system="{{ tone }}", user="{{ goal }}")
    variables = {v.pop("name"): v for v in found["variables"]}
    right = {"given": True, "declared": True, "in_system": False, "in_user": True, "ok": True}
    assert variables["goal"] == right
    assert variables["scenario"] == {**right, "in_user": False, "ok": False}
    assert variables["utilities"] == {**right, "declared": False, "in_user": False}
    assert variables["mood"] == {**right, "given": False, "in_user": False, "ok": False}
    assert variables["tone"] == {"given": False, "declared": False, "in_system": True, "in_user": False, "ok": False}


async def test_a_file_is_checked_like_its_fields(desk: Desk) -> None:
    text = (await desk.client.get(f"{VERSIONS}/1")).json()["text"]
    found = (await desk.client.post(CHECK, json={"text": text})).json()
    assert (found["ok"], found["content_hash"]) == (
        True,
        (await desk.client.get(f"{VERSIONS}/1")).json()["content_hash"],
    )
    broken = (await desk.client.post(CHECK, json={"text": "no front matter"})).json()
    assert (broken["ok"], broken["content_hash"], broken["variables"]) == (False, None, [])
    assert broken["violations"][0]["message"]


async def test_a_draft_of_nothing_that_ships_is_not_there_and_one_of_both_kinds_is_refused(desk: Desk) -> None:
    assert_problem(await desk.client.post("/v1/prompts/none/check", json={"text": "x"}), 404, "prompt_unknown")
    assert_problem(await desk.client.post(CHECK, json={"text": "x", "content": {}}), 422, "invalid_input")
    assert_problem(await desk.client.post(CHECK, json={}), 422, "invalid_input")
