"""What keeps other sites out of the pages, and scripts and styles that aren't ours."""

from __future__ import annotations

import re

import pytest

from reward_llm.console import ConsoleConfig
from tests.api.harness import Setup
from tests.console.harness import FORM, Console, console

PAGES = ["/", "/goals", "/goals/new", "/sign-in", "/me", "/nowhere"]


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_runs_and_paints_only_what_lies_in_files_of_its_own(console: Console, path: str) -> None:
    page = await (await console.browser()).see(path)
    policy = dict(part.split(" ", 1) for part in page.response.headers["content-security-policy"].split("; "))
    assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
    assert (policy["form-action"], policy["frame-ancestors"], policy["base-uri"]) == ("'self'", "'none'", "'none'")
    assert "unsafe" not in page.response.headers["content-security-policy"]
    assert not re.findall(r"<[^>]+\s(?:style|on\w+|hx-on[\w:-]*)=", page.html)
    assert not re.findall(r"<style|<script(?![^>]*\ssrc=\"/static/)", page.html)
    assert not re.findall(r"(?:src|href|action)=\"(?:https?:)?//", page.html)


@pytest.mark.parametrize("path", PAGES)
async def test_every_form_that_writes_carries_the_browsers_secret(console: Console, path: str) -> None:
    ann = await console.browser()
    page = await ann.see(path)
    secret = ann.http.cookies["reward_llm_csrf"]
    writing = [f for f in page.markings.forms if f.method == "post"]
    assert all(dict(f.fields)["csrf"] == secret for f in writing)


@pytest.mark.parametrize("secret", ["", "csrf=&", "csrf=guessed&"])
async def test_a_form_without_the_browsers_secret_does_nothing(console: Console, secret: str) -> None:
    ann = await console.browser()
    body = f"{secret}text=Raise GMV&scope=home_feed".encode()
    response = await ann.http.post("/goals", content=body, headers=FORM)
    assert response.status_code == 403
    assert "This form isn&#39;t one of yours" in response.text
    assert (await console.desk.client.get("/v1/goals")).json()["items"] == []


async def test_another_sites_page_can_have_a_browser_send_nothing(console: Console) -> None:
    ann = await console.browser()
    page = await ann.see("/goals/new")
    ann.http.headers["Origin"] = "https://evil.example"
    body = "&".join(f"{k}={v}" for k, v in page.form("/goals").filled(text="Raise GMV")).encode()
    response = await ann.http.post("/goals", content=body, headers={**FORM, "Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert (await console.desk.client.get("/v1/goals")).json()["items"] == []


async def test_htmx_may_send_the_secret_in_a_header(console: Console) -> None:
    ann = await console.browser()
    await ann.see("/goals/new")
    headers = {**FORM, "X-CSRF-Token": ann.http.cookies["reward_llm_csrf"], "HX-Request": "true"}
    response = await ann.http.post("/goals", content=b"text=Raise GMV&scope=home_feed", headers=headers)
    assert response.headers["hx-redirect"].startswith("/goals/goal_")


async def test_cookies_are_for_this_host_and_never_for_scripts(setup: Setup) -> None:
    async with console(setup, ConsoleConfig(https=True)) as running:
        response = await (await running.browser(None)).http.get("/sign-in")
        assert response.headers["set-cookie"].startswith("__Host-reward_llm_csrf=")
        assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(response.headers["set-cookie"].split("; "))


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_nobody_is_sent_on_to_another_site(console: Console, to: str) -> None:
    ann = await console.browser()
    response = await ann.http.get("/language/zh", params={"to": to})
    assert response.headers["location"] == "/"
    page = await ann.see("/sign-in", to=to)
    assert dict(page.form("/sign-in").fields)["to"] == "/"


async def test_what_people_write_is_shown_as_text(console: Console) -> None:
    await console.desk.submit(text="Raise <script>alert(1)</script> GMV")
    page = await (await console.browser("<b>ann</b>")).see("/goals")
    assert "Raise <script>alert(1)</script> GMV" in page.text
    assert "<script>alert" not in page.html
    assert "<b>ann" not in page.html


async def test_styles_are_kept_for_good_and_pages_never(console: Console) -> None:
    ann = await console.browser()
    page = await ann.see("/")
    assert page.response.headers["cache-control"] == "no-store"
    style = re.findall(r'href="(/static/console.css\?v=\w+)"', page.html)[0]
    assert "immutable" in (await ann.http.get(style)).headers["cache-control"]
