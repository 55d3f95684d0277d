"""Bringing weights into force and out of it again, by two people in real browsers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.api.harness import EDITED
from tests.console.browser.person import PHONE, Somebody, somebody
from tests.console.browser.serving import Site, site

FAR = {**EDITED, "click": 0.05, "gmv": 0.5, "satisfaction": 0.1, "diversity": 0.1}
"""So far from what is in force that somebody else must approve."""
OTHER = {**EDITED, "click": 0.24, "gmv": 0.31}
WHOLE = "/policies/scopes/home_feed/-"
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh"])


@contextmanager
def two_people(
    chromium: Browser, database: Path, pictures: Path, language: str, **options: Any
) -> Iterator[tuple[Site, Somebody, Somebody]]:
    """A site, and the submitter and the approver who visit it."""
    with ExitStack() as open_:
        here = open_.enter_context(site(database))
        ann, li = (
            open_.enter_context(somebody(chromium, here.url, pictures, name=name, language=language, **options))
            for name in ("ann", "li")
        )
        yield here, ann, li


def edited(here: Site, **changes: Any) -> str:
    body = {"scenario": "home_feed", "weights": EDITED, "reason": "weekend sale", **changes}
    policy_id: str = here.api("POST", "/v1/policies", body, **{"X-Actor": "ann"})["policy_id"]
    return policy_id


def in_force(here: Site, policy_id: str, **terms: Any) -> int:
    sequence: int = here.api("POST", f"/v1/policies/{policy_id}/activation", terms, **{"X-Actor": "ann"})["sequence"]
    return sequence


def days(count: float) -> str:
    return (datetime.now(UTC) + timedelta(days=count)).isoformat()


def a_busy_week(here: Site) -> None:
    """Something in force, something for a share of a segment, and something to come."""
    in_force(here, edited(here))
    in_force(here, edited(here, segment="new_user", weights=OTHER), percent=20)
    in_force(here, edited(here, weights=OTHER), **{"from": days(2), "until": days(4)})
    edited(here, segment="mature_user")


@LANGUAGES
def test_two_people_bring_a_policy_into_force(
    chromium: Browser, database: Path, pictures: Path, language: str
) -> None:
    with two_people(chromium, database, pictures, language) as (here, ann, li):
        a_busy_week(here)
        path = f"/policies/{edited(here, weights=FAR)}"
        ann.go("/policies")
        ann.check(f"policies-{language}")
        ann.page.click(f"main a[href='{path}']")
        assert ann.page.locator("#review").count() == 0
        ann.page.fill("#ask-comment", "618")
        ann.page.click("#ask button")
        ann.check(f"policy-author-{language}")
        li.go(path)
        content_hash = li.page.inner_text("#review code")
        assert here.api("GET", f"/v1{path}")["content_hash"] == content_hash
        li.page.fill("#comment", "ok")
        li.check(f"policy-review-{language}")
        li.page.click("#review button[value=approve]")
        li.page.wait_for_selector(".alert-good")
        ann.go(path)
        ann.page.fill("#percent", "30")
        ann.page.click("#activate button")
        ann.page.wait_for_selector(".alert-good")
        assert here.api("GET", f"/v1{path}")["state"] == "active"
        ann.page.set_viewport_size(PHONE)
        ann.check(f"policy-{language}-phone")
        ann.go("/policies")
        ann.check(f"policies-{language}-phone")


@LANGUAGES
def test_two_policies_are_chosen_and_compared(
    chromium: Browser, database: Path, pictures: Path, language: str
) -> None:
    with two_people(chromium, database, pictures, language) as (here, ann, _):
        edited(here)
        edited(here, weights=FAR)
        ann.go("/policies")
        for box in ann.page.locator("input[type=checkbox]").all():
            box.check()
        ann.page.click("form[action='/policies/compare'] button")
        ann.page.wait_for_selector("table.weights")
        ann.check(f"compare-{language}")
        ann.page.set_viewport_size(PHONE)
        ann.check(f"compare-{language}-phone")


@LANGUAGES
def test_a_scope_is_frozen_unfrozen_and_rolled_back(
    chromium: Browser, database: Path, pictures: Path, language: str
) -> None:
    with two_people(chromium, database, pictures, language) as (here, _, li):
        a_busy_week(here)
        bad = edited(here, weights=OTHER)
        in_force(here, bad, conflicts="accept")
        li.go(WHOLE)
        li.check(f"scope-{language}")
        li.page.click(f"a[href='{WHOLE}/freeze']")
        li.check(f"freeze-{language}")
        li.page.fill("#reason", "618")
        li.page.click("main form button")
        li.page.wait_for_selector(".alert-warn")
        assert here.api("GET", "/v1/weights/home_feed")["rule"] == "frozen"
        li.check(f"scope-frozen-{language}")
        li.page.click(f"a[href='{WHOLE}/freeze']")
        li.check(f"unfreeze-{language}")
        li.page.fill("#reason", "618")
        li.page.click("main form button")
        li.page.wait_for_selector(".alert-good")
        li.page.click(f"a[href='{WHOLE}/rollback']")
        li.check(f"rollback-{language}")
        li.page.fill("#reason", "618")
        li.page.set_viewport_size(PHONE)
        li.check(f"rollback-{language}-phone")
        li.page.click("main form button")
        li.page.wait_for_selector(".alert-good")
        assert here.api("GET", f"/v1/policies/{bad}")["state"] == "rolled_back"
        li.check(f"scope-{language}-phone")


@LANGUAGES
def test_a_change_that_came_too_late_shows_both_and_can_be_sent_again(
    chromium: Browser, database: Path, pictures: Path, language: str
) -> None:
    with two_people(chromium, database, pictures, language) as (here, ann, li):
        sequence = in_force(here, edited(here))
        for person in (ann, li):
            person.go(f"{WHOLE}?change={sequence}")
        li.page.fill("#percent", "50")
        li.page.click("#change form >> nth=0 >> button")
        li.page.wait_for_selector(".alert-good")
        ann.page.fill("#percent", "20")
        ann.page.click("#change form >> nth=0 >> button")
        ann.page.wait_for_selector("#outdated")
        ann.complaints.clear()  # the browser's own console tells of every 412
        ann.check(f"scope-conflict-{language}")
        assert ann.page.input_value("#percent") == "20"
        ann.page.click("#change form >> nth=0 >> button")
        ann.page.wait_for_selector(".alert-good")
        assert here.api("GET", f"/v1/activations/{sequence}")["percent"] == 20
