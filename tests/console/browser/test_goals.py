"""From a goal to a policy in force, as people do it at a browser, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.errors import ModelUnavailable
from reward_llm.generation.clients.scripted import ScriptedModel
from reward_llm.ranking.engine import Engine, EngineConfig
from reward_llm.ranking.room import Room
from tests.console.browser.person import PHONE, somebody
from tests.console.browser.serving import site

GOALS = {
    "en": "Raise GMV by 15% this weekend, and keep next-day retention above 65%.",
    "zh": "618大促，GMV目标1亿，次日留存不低于65%",
}
WORDS = {
    "en": {
        "read": "Read this goal",
        "understood": "What was understood",
        "corrected": "Weights of your reading",
        "make": "Make it a policy",
        "made": "Your reading is a policy now",
        "activate": "Activate",
        "activated": "The policy is activated",
        "fallback": "a list of words read this goal",
        "looked": "I have looked at the reading",
        "changes": "logged requests",
    },
    "zh": {
        "read": "解读这个目标",
        "understood": "系统的理解",
        "corrected": "按您的解读得到的权重",
        "make": "设为策略",
        "made": "您的解读已成为策略",
        "activate": "启用",
        "activated": "策略已启用",
        "fallback": "改由词表规则解读",
        "looked": "我已核对解读",
        "changes": "历史请求",
    },
}
BOTH = canonical_answer([("gmv", Direction.RAISE, Emphasis.CLEAR), ("retention", Direction.HOLD, Emphasis.CLEAR)])
SOON_MS = 60_000


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_newcomer_comes_from_an_empty_database_to_a_policy_in_force(
    chromium: Browser, database: Path, pictures: Path, language: str
) -> None:
    words = WORDS[language]
    options = {"model": ScriptedModel([BOTH]), "reranker": Room(lambda: Engine.load(EngineConfig()))}
    with site(database, **options) as here, somebody(chromium, here.url, pictures, language=language) as ann:
        ann.check(f"home-first-{language}")
        ann.page.click(".choices-list a >> nth=0")
        ann.check(f"goal-new-{language}")
        ann.page.fill("#text", GOALS[language])
        ann.page.click(f"button:text-is('{words['read']}')")
        expect(ann.page.locator("#reading")).to_have_text(words["understood"], timeout=SOON_MS)
        expect(ann.page.locator(".preview")).to_contain_text(words["changes"], timeout=SOON_MS)
        ann.check(f"goal-{language}")
        ann.page.set_viewport_size(PHONE)
        ann.check(f"goal-{language}-phone")
        ann.page.click(f"button:text-is('{words['activate']}')")
        expect(ann.page.locator("main")).to_contain_text(words["activated"], timeout=SOON_MS)
        assert here.api("GET", "/v1/weights/home_feed")["version"] == 1
        ann.go("/")
        assert ann.page.locator(".first").count() == 0
        ann.check(f"home-{language}-phone")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_reading_is_corrected_with_a_click(
    chromium: Browser, database: Path, pictures: Path, language: str
) -> None:
    words = WORDS[language]
    with (
        site(database, model=ScriptedModel([BOTH])) as here,
        somebody(chromium, here.url, pictures, language=language, color_scheme="dark") as ann,
    ):
        goal = here.api("POST", "/v1/goals", {"scenario": "home_feed", "text": GOALS[language]})
        ann.go(f"/goals/{goal['id']}")
        ann.page.click(".correction summary")
        ann.page.select_option("[name='read.diversity']", "raise.clear")
        expect(ann.page.locator("#weights")).to_have_text(words["corrected"], timeout=SOON_MS)
        ann.check(f"goal-corrected-{language}-dark")
        ann.page.click(f"button:text-is('{words['make']}')")
        expect(ann.page.locator("main")).to_contain_text(words["made"], timeout=SOON_MS)
        assert here.api("GET", "/v1/policies")["items"][0]["source"] == "human"
        ann.go("/goals")
        ann.check(f"goals-{language}-dark")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_model_that_is_away_is_told_of(chromium: Browser, database: Path, pictures: Path, language: str) -> None:
    words = WORDS[language]
    model = ScriptedModel([ModelUnavailable("nobody answers at 127.0.0.1:8311")])
    with site(database, model=model) as here, somebody(chromium, here.url, pictures, language=language) as ann:
        ann.go("/goals/new")
        ann.page.fill("#text", GOALS[language])
        ann.page.click(f"button:text-is('{words['read']}')")
        expect(ann.page.locator(".alert-warn").first).to_contain_text(words["fallback"], timeout=SOON_MS)
        ann.check(f"goal-fallback-{language}")
        ann.page.check(f"text={words['looked']}")
        ann.page.click(f"button:text-is('{words['activate']}')")
        expect(ann.page.locator("main")).to_contain_text(words["activated"], timeout=SOON_MS)
