"""A person at a browser, and what holds for every page that they see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Response, ViewportSize

PHONE: ViewportSize = {"width": 375, "height": 740}
DESK: ViewportSize = {"width": 1280, "height": 860}
_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
_SERIOUS = {"serious", "critical"}
_FIND = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"


@dataclass(slots=True)
class Somebody:
    """One person, in a browser of their own."""

    page: Page
    url: str
    pictures: Path
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Visit a page."""
        self.page.goto(self.url + path)

    def check(self, name: str) -> None:
        """Hold the page against the rules for all of them, and take its picture."""
        self.page.screenshot(path=self.pictures / f"{name}.png", full_page=True)
        self.page.evaluate(_AXE)
        found = [v for v in self.page.evaluate(_FIND) if v["impact"] in _SERIOUS]
        assert not found, "\n".join(_told(v) for v in found)
        width = self.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width[0] <= width[1], f"the page is wider than its window: {width}"
        assert not self.complaints, self.complaints

    def heard(self, message: ConsoleMessage) -> None:
        """Note what the browser's own console says is wrong."""
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def answered(self, response: Response) -> None:
        """Note what the service couldn't answer."""
        if response.status >= 500:
            self.complaints.append(f"{response.status} {response.url}")


@contextmanager
def somebody(
    chromium: Browser,
    url: str,
    pictures: Path,
    *,
    name: str | None = "ann",
    language: str = "en",
    size: ViewportSize = DESK,
    **options: Any,
) -> Iterator[Somebody]:
    """A person with a fresh browser, who where access is open has said their name."""
    locale = {"en": "en-GB", "zh": "zh-CN"}[language]
    context = chromium.new_context(locale=locale, viewport=size, reduced_motion="reduce", **options)
    page = context.new_page()
    person = Somebody(page=page, url=url, pictures=pictures)
    page.on("console", partial(Somebody.heard, person))
    page.on("pageerror", lambda error: person.complaints.append(str(error)))
    page.on("response", partial(Somebody.answered, person))
    try:
        if name:
            person.go("/sign-in")
            page.fill("#name", name)
            page.click("main button")
            page.wait_for_url(url + "/**")
        yield person
    finally:
        context.close()


def _told(violation: dict[str, Any]) -> str:
    nodes = "; ".join(f"{n['target']} {n['html'][:160]} {n['failureSummary'][:200]}" for n in violation["nodes"][:4])
    return f"{violation['id']}: {violation['help']}: {nodes}"
