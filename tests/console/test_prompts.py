"""The pages on prompts: versions, two of them side by side, the editor, the playground and the promotion."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest

from reward_llm.console import ConsoleConfig
from reward_llm.domain.access import Grant, Role
from reward_llm.store.access import SqlAccess
from reward_llm.store.database import Database
from tests.api.callers import TOKENS, Office
from tests.api.golden import NAME, PRODUCTION, VERSIONS, add, model, promote, write_golden_set
from tests.api.harness import Setup
from tests.console import harness
from tests.console.harness import FORM, Browser, Console, Page

HERE = f"/prompts/{NAME}"


@pytest.fixture
async def console(setup: Setup) -> AsyncIterator[Console]:
    """The pages over four golden goals and a model that reads as many right as its prompt says."""
    write_golden_set(setup.path.parent)
    async with harness.console(setup, model=model()) as running:
        yield running


async def part(browser: Browser, page: Page, action: str, form: str, **values: str) -> Page:
    """What htmx gets for a form of a page that is sent elsewhere than it says."""
    filled = page.form(form).filled(**values)
    headers = {**FORM, "HX-Request": "true"}
    return await browser._ask("POST", action, content=urlencode(filled).encode(), headers=headers)


@pytest.mark.parametrize(("language", "words"), [("en", "came with the installation"), ("zh", "随安装包提供")])
async def test_every_prompt_says_what_is_in_production(console: Console, language: str, words: str) -> None:
    ann = await console.browser("ann", language)
    page = await ann.see("/prompts")
    assert page.status == 200
    assert {HERE, "/prompts/goal_to_points"} <= set(page.links)
    assert words in page.text


async def test_versions_are_listed_with_their_labels_and_the_moves_of_production(console: Console) -> None:
    await add(console.desk, quality=4)
    assert (await promote(console.desk, 2)).status_code == 200
    ann = await console.browser()
    page = await ann.see(HERE)
    assert "1 → 2" in page.text
    assert "wang" in page.text
    assert "100.0%" in page.text
    version = await ann.see(f"{HERE}/versions/2")
    assert "quality 4" in version.text
    assert "production" in version.text
    assert f"{HERE}/versions/2/promotion" not in version.links
    assert f"{HERE}/versions/1/promotion" in (await ann.see(f"{HERE}/versions/1")).links


async def test_two_versions_stand_side_by_side(console: Console) -> None:
    await add(console.desk, quality=2)
    ann = await console.browser()
    page = await ann.send(await ann.see(HERE), f"{HERE}/diff", to="2", **{"from": "1"})
    assert page.status == 200
    assert "<ins>quality 2</ins>" in page.html
    assert "/golden/set" in page.text
    same = await ann.see(f"{HERE}/diff", to="1", **{"from": "1"})
    assert "The two are the same." in same.text
    assert (await ann.see(f"{HERE}/diff", to="9", **{"from": "1"})).status == 404


async def test_a_draft_is_checked_as_it_is_written_and_nothing_is_kept(console: Console) -> None:
    ann = await console.browser()
    page = await ann.see(f"{HERE}/new")
    assert "Nothing differs" in page.text
    wrong = await part(ann, page, f"{HERE}/check", f"{HERE}/new", system="{{ mood }}")
    assert "system:1" in wrong.text
    assert "nothing gives it" in wrong.text
    assert "<html" not in wrong.html
    right = await part(ann, page, f"{HERE}/check", f"{HERE}/new", description="Otherwise the same.")
    assert "It may become a version" in right.text
    plain = await ann.send(page, f"{HERE}/new", check="1", user="Say something.")
    assert "user:1" in plain.text
    assert plain.form(f"{HERE}/new").filled()
    assert len((await console.desk.client.get(VERSIONS)).json()["items"]) == 1


async def test_what_is_written_becomes_a_version_with_its_author(console: Console) -> None:
    ann = await console.browser()
    page = await ann.see(f"{HERE}/new")
    system = dict(page.form(f"{HERE}/new").filled())["system"]
    saved = await ann.send(page, f"{HERE}/new", system=f"{system}\nquality 4", reason="reads more", golden_set="four")
    assert saved.path.startswith(f"{HERE}/versions/2")
    assert "The new version is saved." in saved.text
    made = (await console.desk.client.get(f"{VERSIONS}/2")).json()
    shipped = (await console.desk.client.get(f"{VERSIONS}/1")).json()["content"]
    assert (made["author"], made["reason"]) == ("ann", "reads more")
    expected = {
        **shipped,
        "system": f"{shipped['system']}\nquality 4",
        "golden": {**shipped["golden"], "set": "four"},
    }
    assert made["content"] == expected


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"user": "no goal"}, "user:1"),
        ({"examples": "- goal: ["}, "examples"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"reason": " "}, "reason"),
    ],
)
async def test_what_can_not_become_a_version_is_said_and_stays_in_the_form(
    console: Console, changes: dict[str, str], told: str
) -> None:
    ann = await console.browser()
    page = await ann.see(f"{HERE}/new")
    refused = await ann.send(page, f"{HERE}/new", **{"description": "kept", "reason": "why not", **changes})
    assert refused.status == 422
    assert told in refused.text
    assert dict(refused.form(f"{HERE}/new").filled())["description"] == "kept"
    assert len((await console.desk.client.get(VERSIONS)).json()["items"]) == 1


async def test_a_goal_is_tried_and_its_weights_stand_beside_the_defaults(console: Console) -> None:
    await add(console.desk, quality=2)
    ann = await console.browser()
    page = await ann.see(f"{HERE}/versions/2/playground")
    action = f"{HERE}/versions/2/try"
    tried = await ann.send(page, action, text="Raise GMV #1")
    assert "GMV raise" in tried.text
    assert "quality 2" in tried.text
    assert "Raise GMV #1" in dict(tried.form(action).filled())["text"]
    small = await part(ann, page, action, action, text="Raise GMV #1", backend="rules")
    assert "Rules" in small.text
    assert "<html" not in small.html
    empty = await ann.send(page, action, text="")
    assert empty.status == 422
    assert (await console.desk.client.get("/v1/goals")).json()["items"] == []


async def test_the_golden_set_is_measured_with_its_failures(console: Console) -> None:
    await add(console.desk, quality=2)
    ann = await console.browser()
    page = await ann.see(f"{HERE}/versions/2/playground")
    assert "wasn't measured yet" in page.text
    measured = await ann.send(page, f"{HERE}/versions/2/evaluate")
    assert "50.0%" in measured.text
    assert "Raise GMV #4" in measured.text


async def test_who_asks_for_lines_is_told_how_far_measuring_is(console: Console) -> None:
    await add(console.desk, quality=2)
    ann = await console.browser()
    action = f"{HERE}/versions/2/evaluate"
    form = (await ann.see(f"{HERE}/versions/2/playground")).form(action)
    headers = {**FORM, "Accept": "application/x-ndjson"}
    answer = await ann._ask("POST", action, content=urlencode(form.filled()).encode(), headers=headers)
    *steps, last = map(json.loads, answer.html.splitlines())
    assert steps == [{"done": n, "of": 4} for n in (1, 2, 3, 4)]
    assert "50.0%" in last["html"]
    away = await ann._ask("POST", action, content=urlencode(form.filled(backend="vllm")).encode(), headers=headers)
    assert "alert-bad" in json.loads(away.html)["html"]


async def test_a_promotion_names_what_it_replaces_and_is_measured(console: Console) -> None:
    await add(console.desk, quality=4)
    wang = await console.browser("wang")
    page = await wang.see(f"{HERE}/versions/2/promotion")
    assert f"It replaces version 1 of {NAME}" in page.text
    assert "+1 −0 lines" in page.text
    done = await wang.send(page, f"{HERE}/versions/2/promotion", reason="reads all four")
    assert "Every goal is read with it now." in done.text
    assert (await console.desk.client.get(PRODUCTION)).json()["version"] == 2
    again = await wang.see(f"{HERE}/versions/2/promotion")
    assert "in production already" in again.text
    assert "100.0%" in (await wang.see(f"{HERE}/versions/2/playground")).text


async def test_a_version_that_falls_short_needs_two_people_and_none_of_them_its_author(console: Console) -> None:
    await add(console.desk, author="li", quality=1)
    path = f"{HERE}/versions/2"
    wang, chen, li = [await console.browser(name) for name in ("wang", "chen", "li")]
    refused = await wang.send(await wang.see(f"{path}/promotion"), f"{path}/promotion", reason="trust me")
    assert refused.status == 409
    assert "25.0%" in refused.text
    assert "75.0%" in refused.text
    assert not (await li.see(f"{path}/promotion")).offers(f"{path}/consent")
    for person in (wang, chen):
        page = await person.see(f"{path}/promotion")
        page = await person.send(page, f"{path}/consent", reason="the set is behind")
        assert "Your consent is on record." in page.text
    done = await wang.send(await wang.see(f"{path}/promotion"), f"{path}/promotion", reason="trust us")
    assert "Every goal is read with it now." in done.text
    assert "let through by" in (await wang.see(HERE)).text


async def test_who_was_slower_sees_what_production_is_now(console: Console) -> None:
    await add(console.desk, quality=4)
    await add(console.desk, quality=3)
    wang = await console.browser("wang")
    path = f"{HERE}/versions/3/promotion"
    page = await wang.see(path)
    assert (await promote(console.desk, 2)).status_code == 200
    late = await wang.send(page, path, reason="mine")
    assert late.status == 412
    assert "production stands on version 2 now" in late.text
    assert dict(late.form(path).filled())["reason"] == "mine"
    assert (await console.desk.client.get(PRODUCTION)).json()["version"] == 2


async def test_other_labels_are_put_and_moved(console: Console) -> None:
    await add(console.desk, quality=4)
    ann = await console.browser()
    for number in (1, 2):
        path = f"{HERE}/versions/{number}"
        done = await ann.send(await ann.see(path), f"{path}/label", label="staging", reason="for the check")
        assert "The label stands on this version." in done.text
    stands = (await console.desk.client.get(f"/v1/prompts/{NAME}/labels/staging")).json()
    assert (stands["version"], stands["moved_by"]) == (2, "ann")


async def test_viewers_are_shown_nothing_that_they_may_not_do_and_are_refused_it(setup: Setup) -> None:
    database = Database.open(setup.url)
    async with harness.console(setup, ConsoleConfig(is_open=False), config=TOKENS) as console:
        token = await Office(desk=console.desk, access=SqlAccess(database)).token(Grant(role=Role.VIEWER))
        viewer = await console.with_token(token.text)
        page = await viewer.see(f"{HERE}/versions/1")
        assert page.status == 200
        assert not [link for link in page.links if "playground" in link or "/new" in link or "promotion" in link]
        assert (await viewer.see(f"{HERE}/new")).status == 403
    await database.aclose()
