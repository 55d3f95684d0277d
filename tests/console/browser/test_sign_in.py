"""Signing in, in a real browser."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from reward_llm.api import ApiConfig
from reward_llm.console import ConsoleConfig
from reward_llm.domain.access import AccessMode, Grant, Role
from reward_llm.domain.act import Act
from reward_llm.domain.tokens import mint, token_hash
from tests.console.browser.person import PHONE, somebody
from tests.console.browser.serving import Site, site

CLOSED = {"config": ConsoleConfig(is_open=False), "api": ApiConfig(access=AccessMode.TOKENS)}
OVER = {"en": "What you wrote is still here", "zh": "您填写的内容仍在这里"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_somebody_says_who_they_are(chromium: Browser, database: Path, pictures: Path, language: str) -> None:
    with site(database) as here, somebody(chromium, here.url, pictures, language=language) as ann:
        ann.go("/me")
        assert "ann" in ann.page.inner_text("h1")
        ann.check(f"me-{language}")
        ann.page.set_viewport_size(PHONE)
        ann.check(f"me-{language}-phone")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_sign_in_that_is_over_keeps_what_was_written(
    chromium: Browser, database: Path, pictures: Path, language: str
) -> None:
    with (
        site(database, **CLOSED) as here,
        somebody(chromium, here.url, pictures, name=None, language=language) as ann,
    ):
        token = made_token(here)
        ann.go("/goals/new")
        ann.check(f"sign-in-{language}")
        ann.page.fill("#token", token)
        ann.page.click("main button")
        ann.page.fill("#text", "Raise GMV by 5%")
        ann.page.context.clear_cookies(name="reward_llm_token")
        ann.page.click("main form button")
        expect(ann.page.locator("main")).to_contain_text(OVER[language])
        ann.complaints.clear()  # that the answer was 401 is what the browser complains of
        ann.check(f"sign-in-over-{language}")
        with ann.page.context.expect_page() as opened:
            ann.page.click("main a.primary")
        other = opened.value
        other.fill("#token", token)
        other.click("main button")
        expect(other.locator("h1")).to_have_text("ann")
        ann.page.click("main form button")
        ann.page.wait_for_url("**/goals/goal_*")


def made_token(here: Site) -> str:
    """A token of an editor, written into the site's database."""
    tokens, now = here.desk.app.state.context.services.tokens, here.desk.clock()
    new = mint("ann", (Grant(role=Role.EDITOR),), by="root", now=now, days=1, random_bytes=os.urandom)
    making = tokens.create_token(new.token, token_hash(new.text), Act(actor="root", at=now))
    asyncio.run_coroutine_threadsafe(making, here.loop).result(30)
    return new.text
