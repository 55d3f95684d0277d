"""Two people change a prompt, in a real browser: one writes and measures it, the other puts it into production."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.api.golden import NAME, PRODUCTION, VERSIONS, model, write_golden_set
from tests.console.browser.person import PHONE, Somebody, somebody
from tests.console.browser.serving import Site, site

HERE = f"/prompts/{NAME}"
WORDS = {
    "en": {
        "ok": "It may become a version",
        "saved": "The new version is saved",
        "reads": "Every goal is read with it",
    },
    "zh": {"ok": "可以成为新版本", "saved": "新版本已保存", "reads": "现在所有目标都用它理解"},
}

WATCH = """() => {
    window.told = [];
    const output = document.querySelector("form output");
    new MutationObserver((changes) => changes.forEach((c) => c.addedNodes.forEach((n) => told.push(n.textContent))))
        .observe(output, {childList: true});
}"""
"""Note every text that the form's output shows."""


@pytest.fixture
def here(database: Path) -> Iterator[Site]:
    write_golden_set(database.parent)
    with site(database, model=model()) as running:
        yield running


def content(here: Site, quality: int) -> dict[str, Any]:
    shipped = here.api("GET", f"{VERSIONS}/1")["content"]
    golden = {"set": "four", "threshold": 0.5}
    return {**shipped, "golden": golden, "system": f"{shipped['system']}\nquality {quality}"}


def add(here: Site, quality: int, author: str = "li") -> None:
    sent = {"content": content(here, quality), "reason": "a try"}
    here.api("POST", VERSIONS, sent, **{"X-Actor": author})


def write(person: Somebody, quality: int, words: dict[str, str]) -> None:
    """Write the next version, and see its variables checked on the way."""
    page = person.page
    before = page.input_value("#system")
    page.fill("#system", before + "\n{{ mood }}")
    expect(page.locator("#checks .alert-bad")).to_contain_text("system:")
    page.fill("#system", f"{before}\nquality {quality}")
    page.locator("main details summary").first.click()
    page.select_option("#golden_set", "four")
    expect(page.locator("#checks .alert-good")).to_contain_text(words["ok"])
    page.fill("#reason", "reads complaints as retention")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_one_person_writes_a_version_and_another_puts_it_into_production(
    chromium: Browser, here: Site, pictures: Path, language: str
) -> None:
    words = WORDS[language]
    with somebody(chromium, here.url, pictures, name="li", language=language) as li:
        li.go("/prompts")
        li.check(f"prompts-{language}")
        li.go(f"{HERE}/new")
        write(li, 4, words)
        li.check(f"prompts-editor-{language}")
        li.page.click("form.editor button.primary")
        expect(li.page.locator(".alert-good")).to_contain_text(words["saved"])
        li.check(f"prompts-version-{language}")
        li.go(f"{HERE}/versions/2/playground")
        li.page.fill("#text", "Raise GMV #1")
        li.page.click("form[hx-post] button.primary")
        expect(li.page.locator("#tried table")).to_be_visible()
        li.page.click("form[data-progress] button")
        expect(li.page.locator("#measured .stat")).to_have_text("100.0%")
        li.check(f"prompts-playground-{language}")
    with somebody(chromium, here.url, pictures, name="wang", language=language) as wang:
        wang.go(f"{HERE}/diff?from=1&to=2")
        expect(wang.page.locator("ins")).to_contain_text(["quality 4"])
        wang.check(f"prompts-diff-{language}")
        wang.go(f"{HERE}/versions/2/promotion")
        wang.check(f"prompts-promotion-{language}")
        wang.page.fill("#reason", "all four")
        wang.page.click("main form button.primary")
        expect(wang.page.locator(".alert-good")).to_contain_text(words["reads"])
        wang.check(f"prompts-prompt-{language}")
        wang.page.set_viewport_size(PHONE)
        wang.check(f"prompts-prompt-{language}-phone")
        for path, name in ((f"{HERE}/diff?from=1&to=2", "diff"), (f"{HERE}/new", "editor")):
            wang.go(path)
            wang.check(f"prompts-{name}-{language}-phone")
    assert here.api("GET", PRODUCTION)["version"] == 2


def test_measuring_shows_how_far_it_is(chromium: Browser, here: Site, pictures: Path) -> None:
    add(here, 2)
    with somebody(chromium, here.url, pictures) as ann:
        ann.go(f"{HERE}/versions/2/playground")
        ann.page.evaluate(WATCH)
        ann.page.click("form[data-progress] button")
        expect(ann.page.locator("#measured .stat")).to_have_text("50.0%")
        told = ann.page.evaluate("window.told")
        assert [text for text in told if text] == [f"{n} of 4 goals" for n in (1, 2, 3, 4)]


def test_who_was_slower_keeps_what_they_wrote_and_sees_what_is_there_now(
    chromium: Browser, here: Site, pictures: Path
) -> None:
    add(here, 4)
    add(here, 3)
    with somebody(chromium, here.url, pictures, name="wang") as wang:
        wang.go(f"{HERE}/versions/3/promotion")
        moved = {"version": 2, "reason": "faster"}
        here.api("PUT", PRODUCTION, moved, **{"If-Match": '"0"', "X-Actor": "chen"})
        wang.page.fill("#reason", "mine")
        wang.page.click("main form button.primary")
        expect(wang.page.locator(".alert-bad")).to_contain_text("version 2")
        assert wang.page.input_value("#reason") == "mine"
        wang.complaints.clear()
        wang.check("prompts-promotion-conflict")


def test_a_version_that_falls_short_shows_what_was_measured(chromium: Browser, here: Site, pictures: Path) -> None:
    add(here, 1)
    with somebody(chromium, here.url, pictures, name="wang") as wang:
        wang.go(f"{HERE}/versions/2/promotion")
        wang.page.fill("#reason", "trust me")
        wang.page.click("main form button.primary")
        expect(wang.page.locator(".alert-bad .stat").first).to_have_text("25.0%")
        wang.complaints.clear()
        wang.check("prompts-promotion-below")
