"""Goals on the pages: submitted, read, corrected, and made a policy in force."""

from __future__ import annotations

import html

import pytest

from reward_llm.api import ApiConfig
from reward_llm.console import ConsoleConfig
from reward_llm.domain.access import AccessMode
from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.errors import ModelTimeout
from reward_llm.generation.clients.scripted import ScriptedModel
from tests.api.harness import RAISE_GMV, PausedModel, Setup
from tests.console.harness import Browser, Console, Page, console

TEXT = "Raise GMV by 15% this weekend, and keep retention above 65%"
BOTH = canonical_answer([("gmv", Direction.RAISE, Emphasis.CLEAR), ("retention", Direction.HOLD, Emphasis.CLEAR)])


async def submitted(browser: Browser, text: str = TEXT, **values: str) -> Page:
    """The page of a goal that was just submitted, once it was read."""
    page = await browser.send(await browser.see("/goals/new"), "/goals", text=text, **values)
    assert page.status == 200, page.text
    while 'id="progress"' in page.html:
        page = await browser.see(page.path)
    return page


async def test_a_goal_is_read_before_any_number_is_shown(setup: Setup) -> None:
    async with console(setup, model=ScriptedModel([BOTH])) as running:
        page = await submitted(await running.browser())
        words = page.text
        assert words.index("What was understood") < words.index("Weights it asks for")
        for shown in ("GMV raise", "Retention hold guardrail", "“15%” = 15.0%", "Scripted model", "none needed"):
            assert shown in words
        assert '<mark class="mark-1">' in page.html
        assert "mark-number" in page.html


async def test_a_goal_in_chinese_is_shown_in_chinese(console: Console) -> None:
    browser = await console.browser("小王", "zh")
    page = await submitted(browser, "618大促，GMV目标1亿")
    assert page.html.startswith('<!doctype html>\n<html lang="zh-Hans">')
    for shown in ("系统的理解", "成交额", "“1亿” = 1亿", "对应的权重", "小王", "启用"):
        assert shown in page.text


async def test_a_goal_goes_from_its_text_to_an_active_policy(console: Console) -> None:
    ann = await console.browser()
    page = await submitted(ann)
    goal = page.path
    page = await ann.send(page, f"{goal}/activation")
    assert page.path.startswith("/policies/pol_")
    assert "The policy is activated" in page.text
    policy_id = page.path.split("/")[2].split("?")[0]
    assert (await console.desk.weights())["policy_id"] == policy_id
    assert "Activated" in (await ann.see("/goals")).text
    assert not (await ann.see(goal)).offers(f"{goal}/activation")


async def test_a_corrected_reading_is_weighed_and_becomes_a_persons_policy(console: Console) -> None:
    ann = await console.browser()
    page = await submitted(ann)
    goal = page.path
    page = await ann.send(page, goal, **{"read.gmv": "", "read.diversity": "raise.dominant"})
    assert "Weights of your reading" in page.text
    assert "Nothing" not in page.text.split("What would change")[1][:40]
    page = await ann.send(page, f"{goal}/correction", reason="It was about variety")
    assert "Your reading is a policy now" in page.text
    made = (await console.desk.client.get("/v1/policies")).json()["items"][0]
    assert (made["source"], made["author"]) == ("human", "ann")
    assert made["weights"]["diversity"] > 0.3
    records = (await console.desk.client.get("/v1/audit", params={"action": "policy.edited"})).json()["items"]
    assert records[0]["reason"] == "It was about variety"


async def test_htmx_gets_only_what_comes_of_the_reading(console: Console) -> None:
    ann = await console.browser()
    goal = (await submitted(ann)).path
    part = await ann.part(f"{goal}/outcome?read.click=raise.clear")
    assert part.html.lstrip().startswith('<div id="outcome"')
    assert part.offers(f"{goal}/correction")
    assert ("read.click", "raise.clear") in part.form(f"{goal}/correction").fields


async def test_the_page_shows_how_the_reading_goes_on(setup: Setup) -> None:
    model = PausedModel([RAISE_GMV])
    async with console(setup, model=model) as running:
        ann = await running.browser()
        page = await ann.send(await ann.see("/goals/new"), "/goals", text=TEXT)
        assert "The model reads it" in page.text
        assert '<meta http-equiv="refresh"' in page.html
        part = await ann.part(f"{page.path}/progress")
        assert 'hx-trigger="every' in part.html
        model.may_answer.set()
        while not (done := (await ann.part(f"{page.path}/progress")).response.headers.get("hx-redirect")):
            pass
        assert done == page.path
        assert "What was understood" in (await ann.see(done)).text


async def test_a_model_that_is_away_is_told_of_and_the_rules_read_instead(setup: Setup) -> None:
    async with console(setup, model=ScriptedModel([ModelTimeout("no answer within 20 s")])) as running:
        page = await submitted(await running.browser())
        assert "a list of words read this goal" in page.text
        assert "The model didn't answer in time." in page.text
        assert "I have looked at the reading" in page.text
        goal = (await running.desk.client.get("/v1/goals")).json()["items"][0]
        assert html.escape(goal["proposal"]["reason"], quote=False) in page.html


async def test_a_goal_that_asks_for_nothing_changes_nothing(setup: Setup) -> None:
    async with console(setup, model=ScriptedModel([canonical_answer([])])) as running:
        page = await submitted(await running.browser(), "Good morning")
        assert "asks for nothing that a utility measures" in page.text
        assert not page.offers(f"{page.path}/activation")


async def test_what_cant_be_used_is_said_and_nothing_that_was_written_is_lost(console: Console) -> None:
    ann = await console.browser()
    window = {"valid_from": "2026-06-20T00:00", "valid_until": "2026-06-18T00:00"}
    page = await ann.send(await ann.see("/goals/new"), "/goals", text=TEXT, scope="home_feed/new_user", **window)
    assert page.status == 422
    assert "the window ends" in page.text
    kept = dict(page.form("/goals").fields)
    assert (kept["text"], kept["scope"], kept["valid_until"]) == (TEXT, "home_feed/new_user", "2026-06-18T00:00")


async def test_a_form_that_is_sent_twice_submits_once(console: Console) -> None:
    ann = await console.browser()
    page = await ann.see("/goals/new")
    first = await ann.send(page, "/goals", text=TEXT)
    assert (await ann.send(page, "/goals", text=TEXT)).path == first.path
    assert len((await console.desk.client.get("/v1/goals")).json()["items"]) == 1


async def test_a_larger_step_asks_for_others_approval(setup: Setup) -> None:
    bold = canonical_answer(
        [("group_order", Direction.RAISE, Emphasis.DOMINANT), ("cold_start", Direction.RAISE, Emphasis.DOMINANT)]
    )
    async with console(setup, model=ScriptedModel([bold])) as running:
        ann = await running.browser()
        page = await submitted(ann)
        assert "Needs 1 approval" in page.text
        assert not page.offers(f"{page.path}/activation")
        page = await ann.send(page, f"{page.path}/review-request", comment="please look")
        assert "Approval is asked for" in page.text


async def test_an_activation_that_is_too_late_says_why(console: Console) -> None:
    ann = await console.browser()
    page = await submitted(ann)
    goal_path, policy_id = page.path, dict(page.form(f"{page.path}/activation").fields)["policy_id"]
    freeze = {"frozen": True, "reason": "something is wrong"}
    assert (await console.desk.client.post("/v1/scopes/home_feed/-/freeze", json=freeze)).is_success
    page = await ann.send(page, f"{goal_path}/activation")
    assert page.status == 409
    assert "This scope is frozen" in page.text
    assert (await console.desk.weights())["policy_id"] != policy_id


async def test_the_list_is_filtered_and_paged(console: Console) -> None:
    for n in range(25):
        await console.desk.submit(text=f"Raise GMV by {n}%", scenario="home_feed")
    ann = await console.browser()
    page = await ann.see("/goals")
    assert sum(link.startswith("/goals/goal_") for link in page.links) == 20
    following = next(link for link in page.links if "cursor=" in link)
    page = await ann.see(following)
    assert sum(link.startswith("/goals/goal_") for link in page.links) == 5
    assert "No such goals" in (await ann.see("/goals", state="no_change")).text


@pytest.mark.parametrize("path", ["/goals/goal_none", "/goals/goal_none/preview"])
async def test_a_goal_that_isnt_there_is_a_page_that_says_so(console: Console, path: str) -> None:
    page = await (await console.browser()).see(path)
    assert page.status == 404
    assert "There is no such goal" in page.text


async def test_a_preview_says_why_there_is_none(console: Console) -> None:
    ann = await console.browser()
    goal = (await submitted(ann)).path
    assert "Nothing ranks here" in (await ann.part(f"{goal}/preview")).text
    assert "Nothing ranks here" in (await ann.see(f"{goal}/preview")).text


async def test_who_isnt_known_is_sent_to_sign_in_and_back(setup: Setup) -> None:
    config = ApiConfig(access=AccessMode.TOKENS)
    async with console(setup, ConsoleConfig(is_open=False), config=config) as running:
        page = await (await running.browser(None)).see("/goals/new", text="x")
        assert page.path.startswith("/sign-in?to=%2Fgoals%2Fnew%3Ftext%3Dx")
