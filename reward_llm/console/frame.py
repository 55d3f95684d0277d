"""What all pages have in common: templates, texts, cookies, and the way to the interface."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import httpx
from fastapi import APIRouter
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reward_llm.console import charts
from reward_llm.console.config import ConsoleConfig
from reward_llm.console.cookies import Cookies
from reward_llm.console.reasons import reason_in_words
from reward_llm.console.security import PAGE_HEADERS
from reward_llm.console.wording import Language, Texts, load_texts
from reward_llm.domain.ports import Clock

if TYPE_CHECKING:
    from reward_llm.console.visit import Visit

STATIC_DIR: Final = Path(__file__).parent / "static"
_DIGEST_CHARS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A part of the console: its routes, and its place in the navigation."""

    name: str
    """Its texts' file; `<name>.nav` is what the navigation calls it."""
    router: APIRouter
    path: str | None = None
    """Where its first page is; None for what the navigation doesn't show."""
    permission: str = "read"
    """What the navigation shows it for."""


class Frame:
    """Makes pages of templates."""

    def __init__(
        self, config: ConsoleConfig, transport: httpx.AsyncBaseTransport, clock: Clock, areas: Sequence[Area]
    ) -> None:
        self.config = config
        self.transport = transport
        self.clock = clock
        self.areas = tuple(areas)
        self.cookies = Cookies.of(https=config.https)
        self.texts: Mapping[Language, Texts] = load_texts()
        self.zone = ZoneInfo(config.time_zone)
        self._environment = _environment()

    def credentials(self, request: Request) -> dict[str, str]:
        """What a browser's cookies prove, or where access is open merely say, of who it is."""
        if self.config.is_open:
            name = self.cookies.name.read(request)
            return {"x-actor": name} if name else {}
        token = self.cookies.token.read(request)
        return {"authorization": f"Bearer {token}"} if token else {}

    def respond(self, visit: Visit, template: str, status: int, context: Mapping[str, Any]) -> Response:
        """The page, with the cookie that its forms are held against."""
        response = HTMLResponse(self.render(visit, template, context), status, headers=PAGE_HEADERS)
        response.headers["Content-Language"] = str(visit.language)
        response.headers["Vary"] = "Cookie, Accept-Language, HX-Request"
        if self.cookies.csrf.read(visit.request) is None:
            self.cookies.csrf.write(response, visit.csrf)
        return response

    def render(self, visit: Visit, template: str, context: Mapping[str, Any]) -> str:
        """A template's HTML."""
        return self._environment.get_template(template).render(
            {"visit": visit, "t": visit.t, "f": visit.f, "nav": self._navigation(visit), **context}
        )

    def _navigation(self, visit: Visit) -> list[Area]:
        return [a for a in self.areas if a.path and visit.may_somewhere(a.permission)]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reward_llm.console"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "static": static_url,
        "charts": charts,
        "new_key": new_key,
        "reason_in_words": reason_in_words,
    }
    return environment


def new_key() -> str:
    """An `Idempotency-Key` for a form that is shown, so that sending it twice does once."""
    return uuid.uuid4().hex


@cache
def static_url(name: str) -> str:
    """The address of a static file, which changes with its content."""
    digest = hashlib.sha256((STATIC_DIR / name).read_bytes()).hexdigest()[:_DIGEST_CHARS]
    return f"/static/{name}?v={digest}"
