"""Health, the ranker and simulations, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from reward_llm.errors import ModelUnavailable
from reward_llm.generation.clients.scripted import ScriptedModel
from reward_llm.ranking.room import Room
from tests.api.harness import EDIT, GOAL
from tests.console.browser.person import PHONE, somebody
from tests.console.browser.serving import site
from tests.console.rankers import small_room
from tests.ranking.conftest import folder, logged, untrained  # noqa: F401 - fixtures

WAIT_MS = 60_000


@pytest.fixture(scope="module")
def room(folder: Path) -> Iterator[Room]:  # noqa: F811
    with small_room(folder) as opened:
        yield opened


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_model_that_is_away_shows_on_the_page_on_health(
    chromium: Browser, database: Path, pictures: Path, language: str
) -> None:
    with (
        site(database, model=ScriptedModel([ModelUnavailable("nobody listens on 127.0.0.1:8311")])) as here,
        somebody(chromium, here.url, pictures, language=language) as ann,
    ):
        here.api("POST", "/v1/goals", GOAL)
        here.http.get("/v1/ranker")
        ann.go("/health")
        expect(ann.page.locator("#health")).to_contain_text("100.0%")
        expect(ann.page.locator("#health")).to_contain_text("nobody listens")
        expect(ann.page.locator("#errors + .table-box")).to_contain_text("ranker_unavailable")
        ann.check(f"health-{language}")
        ann.page.set_viewport_size(PHONE)
        ann.check(f"health-{language}-phone")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_weights_are_tried_and_a_slate_is_explained(
    chromium: Browser, database: Path, pictures: Path, room: Room, language: str
) -> None:
    with site(database, reranker=room) as here, somebody(chromium, here.url, pictures, language=language) as ann:
        ann.page.set_default_timeout(WAIT_MS)
        ann.go("/ranker")
        ann.check(f"ranker-{language}")
        ann.page.click(".tabs a:nth-child(2)")
        ann.page.fill("#weight-gmv", "0.5")
        ann.page.click("form[method=post] button.primary")
        expect(ann.page.locator("#changes")).to_be_visible(timeout=WAIT_MS)
        ann.check(f"ranker-try-{language}")
        ann.page.click(".tabs a:nth-child(3)")
        ann.page.fill("#request", "3")
        ann.page.click("form[method=post] button.primary")
        expect(ann.page.locator("#why")).to_be_visible(timeout=WAIT_MS)
        ann.check(f"ranker-explain-{language}")
        ann.page.set_viewport_size(PHONE)
        ann.check(f"ranker-explain-{language}-phone")
        ann.go("/ranker")
        ann.check(f"ranker-{language}-phone")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_simulation_is_run_watched_and_compared(
    chromium: Browser, database: Path, pictures: Path, language: str
) -> None:
    with site(database) as here, somebody(chromium, here.url, pictures, language=language) as ann:
        policy = here.api("POST", "/v1/policies", EDIT)["policy_id"]
        ann.go("/simulations")
        ann.check(f"simulations-{language}")
        ann.page.select_option("[name='arm.1.recommender']", "item_cf")
        ann.page.select_option("[name='arm.1.policy_id']", policy)
        ann.page.click("main form button.primary")
        expect(ann.page.locator("#table")).to_be_visible(timeout=WAIT_MS)
        expect(ann.page.locator(".chart.plot")).to_have_count(10)
        ann.check(f"simulation-{language}")
        ann.page.set_viewport_size(PHONE)
        ann.check(f"simulation-{language}-phone")
        ann.go("/simulations")
        ann.check(f"simulations-{language}-phone")
