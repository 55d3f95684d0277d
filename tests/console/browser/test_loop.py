"""Experiments, controllers and searches, in a real browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, expect

from reward_llm.domain.act import EXPERIMENTER, Act
from reward_llm.domain.control import CONTROLLER, Hold, Memory, Reading
from reward_llm.domain.control_documents import reading_document
from reward_llm.domain.experiments import Decision, Look, Measurement
from reward_llm.domain.metrics import Metric
from reward_llm.feedback.metrics.online import MetricsStore, open_logs
from reward_llm.loop.experiments.codec import look_document
from tests.api.harness import EDITED
from tests.api.test_controllers import ASKED, WIDE
from tests.console.browser.person import PHONE, Somebody, somebody
from tests.console.browser.serving import RealTime, Site, site
from tests.console.test_searches import ASKED as SEARCH

BY_ANN = {"X-Actor": "ann"}
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh"])
SOON_MS = 60_000


def edited(here: Site, **weights: float) -> str:
    edit = {"scenario": "home_feed", "weights": {**EDITED, **weights}, "reason": "weekend sale"}
    policy: str = here.api("POST", "/v1/policies", edit, **BY_ANN)["policy_id"]
    return policy


def gathered(here: Site, record_id: str, documents: list[dict[str, Any]], actor: str) -> None:
    """Have a record gather what it would in time, one a minute."""
    records, began = here.desk.app.state.context.services.controllers, datetime.now(UTC)
    for minute, document in enumerate(documents):
        here.run(records.gather(record_id, [document], Act(actor=actor, at=began + timedelta(minutes=minute))))


def check_all(person: Somebody, path: str, name: str) -> None:
    """The page at a desk and on a phone."""
    person.go(path)
    person.check(name)
    size = person.page.viewport_size
    person.page.set_viewport_size(PHONE)
    person.check(f"{name}-phone")
    person.page.set_viewport_size(size or PHONE)


def measured(metric: Metric, role: Literal["primary", "guardrail"], day: int, difference: float) -> Measurement:
    width = 0.08 / day**0.5
    return Measurement(
        metric=metric,
        role=role,
        span="all",
        standing=("better" if difference > width else "unclear") if role == "primary" else "safe",
        control=0.5,
        treatment=0.5 + difference,
        difference=difference,
        low=difference - width,
        high=difference + width,
        limit=0.0 if role == "primary" else -0.02,
    )


def look(day: int) -> dict[str, Any]:
    gmv = measured(Metric.GMV, "primary", day, 0.03)
    retention = measured(Metric.NEXT_DAY_RETENTION, "guardrail", day, 0.02)
    return look_document(
        Look(
            day=day,
            until=datetime.now(UTC) + timedelta(days=day),
            control_units=500 * day,
            treatment_units=510 * day,
            switched=0,
            ratio_p=1.0,
            measurements=(gmv, retention),
            decision=Decision.WAIT,
        )
    )


@LANGUAGES
def test_an_experiment_is_planned_started_watched_and_stopped(
    chromium: Browser, database: Path, pictures: Path, language: str
) -> None:
    online = MetricsStore(open_logs(None, 1), RealTime())
    with (
        site(database, online=online) as here,
        somebody(chromium, here.url, pictures, language=language) as ann,
    ):
        policy = edited(here)
        check_all(ann, "/experiments", f"experiments-empty-{language}")
        ann.page.fill("#name", "More GMV")
        ann.page.select_option("#treatment", policy)
        ann.page.select_option("#primary", "gmv")
        ann.page.click("main form button.primary")
        ann.page.wait_for_url("**/experiments/exp_*")
        path = ann.page.url.removeprefix(here.url)
        ann.check(f"experiment-planned-{language}")
        ann.page.click("main form button.primary")
        expect(ann.page.locator(".alert-good")).to_have_count(1)
        gathered(here, path.rpartition("/")[2], [look(day) for day in range(1, 9)], EXPERIMENTER)
        check_all(ann, path, f"experiment-{language}")
        expect(ann.page.locator(".chart.plot")).to_have_count(2)
        check_all(ann, "/experiments", f"experiments-{language}")
        ann.go(path)
        ann.page.fill("#reason", "enough")
        ann.page.click("main form button.danger")
        expect(ann.page.locator("main form")).to_have_count(0)
        ann.check(f"experiment-stopped-{language}")
        here.run(online.aclose())


def readings(policy: str) -> list[dict[str, Any]]:
    found, weight = [], 0.05
    for minute in range(30):
        is_stale = 10 <= minute < 15
        weight += 0.0 if is_stale or weight > 0.15 else 0.005
        reading = Reading(
            at=datetime.now(UTC),
            policy_id=policy,
            weight=weight,
            memory=Memory(integral=weight),
            setpoint=0.2,
            measured=None if is_stale else 0.1 + minute / 300,
            held=Hold.STALE if is_stale else None,
            note="the last event is old" if is_stale else "",
        )
        found.append(reading_document(reading))
    return found


PLAN = {
    "name": "a fifth",
    "exposure.setpoint": "0.2",
    "envelope.min": "0.15",
    "envelope.max": "0.2",
    "gains.proportional": "0.2",
    "gains.integral": "0.05",
    "reason": "new creators need a start",
}
"""In a form for a controller; the weight now lies outside the envelope."""


@LANGUAGES
def test_a_controller_is_granted_watched_paused_and_ended(
    chromium: Browser, database: Path, pictures: Path, language: str
) -> None:
    with (
        site(database) as here,
        somebody(chromium, here.url, pictures, language=language) as ann,
        somebody(chromium, here.url, pictures, name="li", language=language) as li,
    ):
        check_all(ann, "/controllers", f"controllers-empty-{language}")
        policy = edited(here)
        here.api("POST", f"/v1/policies/{policy}/activation", {}, **BY_ANN)
        one = here.api("POST", "/v1/controllers", {**ASKED, **WIDE}, **BY_ANN)["id"]
        path = f"/controllers/{one}"
        check_all(ann, path, f"controller-proposed-{language}")
        ann.page.click("#approve")
        expect(ann.page.locator(".alert-bad")).to_have_count(1)
        ann.complaints.clear()  # the browser's own console tells of every 409
        ann.check(f"controller-refused-{language}")
        li.go(path)
        li.page.fill("#comment", "ok")
        li.page.click("#approve")
        expect(li.page.locator("#pause")).to_be_visible()
        gathered(here, one, readings(policy), CONTROLLER)
        check_all(li, path, f"controller-{language}")
        expect(li.page.locator(".chart.plot")).to_have_count(2)
        check_all(li, "/controllers", f"controllers-{language}")
        li.go(path)
        for button, then in (("#pause", "#resume"), ("#resume", "#pause")):
            li.page.fill("#reason", "the feed is odd")
            li.page.click(button)
            expect(li.page.locator(then)).to_be_visible()
        li.page.fill("#reason", "enough")
        li.page.click("#end")
        expect(li.page.locator("main form")).to_have_count(0)
        li.check(f"controller-ended-{language}")


@LANGUAGES
def test_a_controller_is_proposed_by_a_form_that_says_what_is_wrong(
    chromium: Browser, database: Path, pictures: Path, language: str
) -> None:
    with site(database) as here, somebody(chromium, here.url, pictures, language=language) as ann:
        for segment in (None, "new_user"):
            edit = {"scenario": "home_feed", "segment": segment, "weights": EDITED, "reason": "weekend sale"}
            policy = here.api("POST", "/v1/policies", edit, **BY_ANN)["policy_id"]
            here.api("POST", f"/v1/policies/{policy}/activation", {}, **BY_ANN)
        check_all(ann, "/controllers", f"controllers-new-{language}")
        ann.page.click("nav.tabs a:not([aria-current])")
        expect(ann.page.locator("nav.tabs a[aria-current]")).to_have_text("home_feed/new_user")
        for label, text in PLAN.items():
            ann.page.fill(f'[name="{label}"]', text)
        ann.page.press('[name="reason"]', "Enter")
        low = ann.page.locator('[name="envelope.min"]')
        expect(low).to_have_attribute("aria-invalid", "true")
        expect(low).to_have_attribute("aria-describedby", "envelope.min-wrong envelope.min-help")
        expect(ann.page.locator(".wrong")).to_have_count(1)
        ann.complaints.clear()  # the browser's own console tells of every 422
        ann.check(f"controllers-refused-{language}")
        ann.page.set_viewport_size(PHONE)
        ann.check(f"controllers-refused-{language}-phone")
        low.fill("0.02")
        ann.page.press('[name="reason"]', "Enter")
        ann.page.wait_for_url("**/controllers/ctl_*")
        one = here.api("GET", f"/v1{ann.page.url.removeprefix(here.url)}")
        assert (one["segment"], one["base_policy"], one["plan"]["envelope"]["min"]) == ("new_user", policy, 0.02)
        ann.check(f"controller-made-{language}")


@LANGUAGES
def test_a_search_is_watched_and_its_finalist_becomes_a_policy(
    chromium: Browser, database: Path, pictures: Path, language: str
) -> None:
    with site(database) as here, somebody(chromium, here.url, pictures, language=language) as ann:
        check_all(ann, "/searches", f"searches-empty-{language}")
        path = f"/searches/{here.api('POST', '/v1/searches', SEARCH, **BY_ANN)['id']}"
        ann.go(path)
        expect(ann.page.locator(f"form[action='{path}/proposal']").first).to_be_visible(timeout=SOON_MS)
        check_all(ann, path, f"search-{language}")
        expect(ann.page.locator(".chart.plot")).to_have_count(2)
        check_all(ann, "/searches", f"searches-{language}")
        ann.go(path)
        ann.page.click(f"form[action='{path}/proposal'] button")
        ann.page.wait_for_url("**/policies/pol_*")
