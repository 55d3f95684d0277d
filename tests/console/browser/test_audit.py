"""Reading the audit log and looking weights up, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.console.browser.person import PHONE, somebody
from tests.console.browser.serving import site
from tests.console.browser.test_governance import a_busy_week

LANGUAGES = pytest.mark.parametrize("language", ["en", "zh"])


@LANGUAGES
def test_somebody_finds_a_record_and_verifies_the_log(
    chromium: Browser, database: Path, pictures: Path, language: str
) -> None:
    with site(database) as here, somebody(chromium, here.url, pictures, language=language) as ann:
        a_busy_week(here)
        here.api("PATCH", "/v1/activations/2", {"percent": 35}, **{"If-Match": '"1"', "X-Actor": "li"})
        ann.go("/audit")
        ann.check(f"audit-{language}")
        ann.page.fill("#actor", "li")
        ann.page.click("main form button")
        ann.page.wait_for_url("**actor=li**")
        ann.page.click("main tbody a >> nth=0")
        ann.page.wait_for_selector("table.changed")
        assert "35.0" in ann.page.inner_text("table.changed")
        ann.check(f"audit-record-{language}")
        ann.page.set_viewport_size(PHONE)
        ann.check(f"audit-record-{language}-phone")
        ann.go("/audit")
        ann.check(f"audit-{language}-phone")
        ann.go("/audit/verification")
        ann.page.wait_for_selector(".alert-good")
        ann.check(f"audit-verification-{language}")


@LANGUAGES
def test_somebody_looks_up_what_a_user_gets_and_why(
    chromium: Browser, database: Path, pictures: Path, language: str
) -> None:
    with site(database) as here, somebody(chromium, here.url, pictures, language=language) as ann:
        a_busy_week(here)
        ann.go("/lookup")
        ann.page.select_option("#scope", "home_feed/new_user")
        ann.page.fill("#unit", "user-17")
        ann.page.click("main form button")
        ann.page.wait_for_selector("#why")
        ann.check(f"lookup-{language}")
        ann.page.fill("#at", "2020-01-01T00:00")
        ann.page.click("main form button")
        ann.page.wait_for_selector(".alert-info")
        ann.page.set_viewport_size(PHONE)
        ann.check(f"lookup-{language}-phone")
