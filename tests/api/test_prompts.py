from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.golden import NAME, STAGING, VERSIONS, add, content, write_golden_set
from tests.api.harness import Desk, Setup, assert_problem


@pytest.fixture
async def desk(setup: Setup) -> AsyncIterator[Desk]:
    write_golden_set(setup.path.parent)
    async with setup.start() as desk:
        yield desk


async def test_the_prompts_that_ship_are_there_without_having_been_written(desk: Desk) -> None:
    listed = (await desk.client.get("/v1/prompts")).json()["items"]
    assert [p["name"] for p in listed] == ["goal_to_intents", "goal_to_points"]
    one = (await desk.client.get(f"/v1/prompts/{NAME}")).json()
    assert one == listed[0]
    assert (one["versions"], one["newest"]["author"], one["newest"]["packaged"]) == (1, "package", True)
    assert [(x["label"], x["version"], x["revision"]) for x in one["labels"]] == [("production", 1, 0)]
    assert await desk.actions() == []


async def test_an_unknown_prompt_or_version_is_not_found(desk: Desk) -> None:
    for path in ("/v1/prompts/none", "/v1/prompts/none/versions", "/v1/prompts/none/versions/1"):
        assert_problem(await desk.client.get(path), 404, "prompt_unknown")
    assert_problem(await desk.client.get(f"{VERSIONS}/2"), 404, "prompt_version_unknown")
    assert_problem(await desk.client.get(f"{VERSIONS}/0"), 422, "invalid_input")
    assert_problem(await desk.client.get(f"{VERSIONS}/{2**31}"), 422, "invalid_input")


async def test_a_version_is_shown_field_by_field_and_as_a_file(desk: Desk) -> None:
    response = await desk.client.get(f"{VERSIONS}/1")
    version = response.json()
    assert (version["id"], version["labels"], version["created_at"]) == ("goal_to_intents@1", ["production"], None)
    assert response.headers["etag"] == f'"{version["content_hash"]}"'
    assert version["content"]["system"] in version["text"]
    unchanged = await desk.client.get(f"{VERSIONS}/1", headers={"If-None-Match": response.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_a_new_version_is_on_record_and_changes_no_label(desk: Desk) -> None:
    sent = {"content": await content(desk), "reason": "complaints are retention"}
    response = await desk.client.post(VERSIONS, json=sent, headers={"X-Actor": "li"})
    version = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"{VERSIONS}/2"
    assert response.headers["etag"] == f'"{version["content_hash"]}"'
    assert (version["version"], version["author"], version["labels"]) == (2, "li", [])
    assert version["reason"] == "complaints are retention"
    assert version["content"] == sent["content"]
    assert (await desk.client.get(f"{VERSIONS}/2")).json() == version
    assert (await desk.client.get(f"/v1/prompts/{NAME}")).json()["labels"][0]["version"] == 1
    assert len(await desk.actions()) == 1


async def test_the_file_of_a_version_makes_the_same_version(desk: Desk) -> None:
    made = await add(desk)
    same = await desk.client.post(VERSIONS, json={"text": made["text"], "reason": "once more"})
    assert (same.json()["version"], same.json()["content_hash"]) == (2, made["content_hash"])
    longer = made["text"].replace("quality 4", "quality 1")
    other = (await desk.client.post(VERSIONS, json={"text": longer, "reason": "worse"})).json()
    assert (other["version"], other["content"]["system"].endswith("quality 1")) == (3, True)


async def test_the_same_key_gives_the_same_version(desk: Desk) -> None:
    sent = {"content": await content(desk), "reason": "a try"}
    answers = [await desk.client.post(VERSIONS, json=sent, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    other = {"content": await content(desk, quality=1), "reason": "a try"}
    refused = await desk.client.post(VERSIONS, json=other, headers={"Idempotency-Key": "k"})
    assert_problem(refused, 422, "idempotency_conflict")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"user": "{{ goal }} {{ secret }}"}, "user"),
        ({"user": "Say something."}, "variables"),
        ({"system": "{% for %}"}, "system"),
        ({"name": "goal_to_points"}, "name"),
        ({"golden": {"set": "none", "threshold": 0.5}}, "golden/set"),
        ({"golden": {"set": "four", "threshold": 1.5}}, "golden/threshold"),
        ({"parameters": {"max_tokens": 1, "temperature": 0.0}}, "parameters/max_tokens"),
        ({"note": "x"}, "note"),
    ],
)
async def test_a_prompt_that_breaks_its_contract_is_refused_with_the_place(
    desk: Desk, changes: dict[str, Any], path: str
) -> None:
    sent = {"content": {**await content(desk), **changes}, "reason": "a try"}
    problem = assert_problem(await desk.client.post(VERSIONS, json=sent), 422, "prompt_invalid")
    assert path in {v["path"].partition(":")[0] for v in problem["violations"]}
    assert await desk.actions() == ["prompt.refused"]


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"reason": "x"}, 422, "invalid_input"),
        ({"reason": "x", "text": "y", "content": {}}, 422, "invalid_input"),
        ({"reason": " ", "text": "y"}, 422, "invalid_input"),
        ({"text": "y"}, 422, "invalid_input"),
        ({"reason": "x", "text": "no front matter"}, 422, "prompt_invalid"),
        ({"reason": "x", "text": "---\nname: [\n---\n# system\na\n# user\nb"}, 422, "prompt_invalid"),
        ({"reason": "x", "text": "x" * 70_000}, 413, "body_too_large"),
    ],
)
async def test_what_isnt_a_prompt_is_refused(desk: Desk, sent: dict[str, Any], status: int, code: str) -> None:
    assert_problem(await desk.client.post(VERSIONS, json=sent), status, code)
    assert await desk.actions() == ["prompt.refused"]


async def test_a_prompt_that_doesnt_ship_cant_be_made(desk: Desk) -> None:
    sent = {"content": {**await content(desk), "name": "poems"}, "reason": "a try"}
    assert_problem(await desk.client.post("/v1/prompts/poems/versions", json=sent), 404, "prompt_unknown")


async def test_versions_are_paged_newest_first_with_their_labels(desk: Desk) -> None:
    for quality in (1, 2, 4):
        await add(desk, quality=quality)
    await desk.client.put(STAGING, json={"version": 3, "reason": "try it"}, headers={"If-None-Match": "*"})
    first = (await desk.client.get(f"{VERSIONS}?limit=2")).json()
    rest = (await desk.client.get(f"{VERSIONS}?limit=2&cursor={first['next_cursor']}")).json()
    listed = [*first["items"], *rest["items"]]
    assert [(v["version"], v["labels"]) for v in listed] == [(4, []), (3, ["staging"]), (2, []), (1, ["production"])]
    assert "content" not in listed[0]


async def test_two_versions_are_compared_line_by_line_and_field_by_field(desk: Desk) -> None:
    await add(desk, quality=2, threshold=0.5)
    diff = (await desk.client.get(f"/v1/prompts/{NAME}/diff?from=1&to=2")).json()
    assert (diff["before"]["version"], diff["after"]["version"], diff["same"]) == (1, 2, False)
    assert "+quality 2" in diff["system"].split("\n")
    assert diff["user"] == ""
    assert {f["path"]: f["after"] for f in diff["fields"]} == {"/golden/set": "four", "/golden/threshold": 0.5}
    assert (await desk.client.get(f"/v1/prompts/{NAME}/diff?from=2&to=2")).json()["same"]
    assert_problem(await desk.client.get(f"/v1/prompts/{NAME}/diff?from=1&to=3"), 404, "prompt_version_unknown")
    assert_problem(await desk.client.get(f"/v1/prompts/{NAME}/diff?from=1"), 422, "invalid_input")
