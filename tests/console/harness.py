"""The pages over a real interface, store and proposer, as browsers without scripts use them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from reward_llm.bootstrap.console import add_console
from reward_llm.console import ConsoleConfig
from tests.api.harness import Desk, Setup
from tests.console.reading import Markings, PageForm

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(slots=True)
class Page:
    """An answer."""

    response: httpx.Response
    markings: Markings = field(init=False)

    def __post_init__(self) -> None:
        self.markings = Markings(self.response.text)

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def path(self) -> str:
        return self.response.url.raw_path.decode("ascii")

    @property
    def text(self) -> str:
        return self.markings.text

    @property
    def html(self) -> str:
        return self.response.text

    @property
    def links(self) -> list[str]:
        return self.markings.links

    def form(self, action: str) -> PageForm:
        """The first form that is sent there."""
        found = next((f for f in self.markings.forms if f.action == action), None)
        assert found, f"no form for {action}, only for {[f.action for f in self.markings.forms]}"
        return found

    def offers(self, action: str) -> bool:
        """Whether a form is sent there."""
        return any(f.action == action for f in self.markings.forms)


@dataclass(slots=True)
class Browser:
    """One person's browser."""

    http: httpx.AsyncClient
    language: str = "en"

    async def see(self, path: str, **params: str) -> Page:
        """The page at a path, wherever it leads."""
        return await self._ask("GET", path, params=params or None)

    async def send(self, page: Page, action: str, **values: str) -> Page:
        """Fill in a form of a page and send it; the page that it leads to."""
        form = page.form(action)
        filled = form.filled(**values)
        if form.method == "get":
            return await self._ask("GET", action, params=dict(filled))
        return await self._ask("POST", action, content=urlencode(filled).encode(), headers=FORM)

    async def part(self, path: str) -> Page:
        """What htmx gets of a page."""
        return await self._ask("GET", path, headers={"HX-Request": "true"})

    async def _ask(self, method: str, path: str, headers: dict[str, str] | None = None, **sent: Any) -> Page:
        said = {"Accept-Language": self.language, "Sec-Fetch-Site": "same-origin", **(headers or {})}
        response = await self.http.request(method, path, headers=said, follow_redirects=True, **sent)
        return Page(response)


@dataclass(slots=True)
class Console:
    """The pages of one running application."""

    desk: Desk
    config: ConsoleConfig
    browsers: list[httpx.AsyncClient] = field(default_factory=list)

    async def browser(self, name: str | None = "ann", language: str = "en") -> Browser:
        """A new browser; where access is open, of somebody of that name."""
        transport = httpx.ASGITransport(self.desk.app, raise_app_exceptions=False)
        http = httpx.AsyncClient(transport=transport, base_url="http://test")
        self.browsers.append(http)
        browser = Browser(http=http, language=language)
        if name and self.config.is_open:
            await browser.send(await browser.see("/sign-in"), "/sign-in", name=name)
        return browser

    async def with_token(self, token: str, language: str = "en") -> Browser:
        """A new browser that is signed in with a token."""
        browser = await self.browser(None, language)
        await browser.send(await browser.see("/sign-in"), "/sign-in", token=token)
        return browser


@asynccontextmanager
async def console(setup: Setup, pages: ConsoleConfig | None = None, **options: Any) -> AsyncIterator[Console]:
    """The pages over an application; the options are those of `Setup.start`."""
    pages = pages or ConsoleConfig()
    async with setup.start(**options) as desk:
        add_console(desk.app, pages, desk.clock)
        running = Console(desk=desk, config=pages)
        try:
            yield running
        finally:
            for http in running.browsers:
                await http.aclose()
