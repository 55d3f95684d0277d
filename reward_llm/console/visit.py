"""One request of a person: the interface on their behalf, their language, and what answers them.

    @router.get("/policies/{policy_id}")
    async def policy(policy_id: str, visit: Visiting) -> Response:
        return visit.page("policies/policy.html", policy=await visit.api.get(f"/v1/policies/{policy_id}"))

    @router.post("/policies/{policy_id}/freeze")
    async def freeze(policy_id: str, visit: Visiting) -> Response:
        await visit.api.post(f"…", {"reason": visit.form["reason"]}, key=visit.form["key"])
        return visit.go("/policies", done="policies.frozen")

A problem that the interface answers with becomes the page that says so, unless the handler catches `ServiceRefused`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reward_llm.console.client import ApiClient
from reward_llm.console.formats import Formats
from reward_llm.console.forms import Form, read_form
from reward_llm.console.frame import Frame
from reward_llm.console.person import Person
from reward_llm.console.security import CSRF_FIELD, CSRF_HEADER, SAFE_METHODS, is_own_form, new_secret
from reward_llm.console.wording import LANGUAGES, Language, Texts, preferred
from reward_llm.errors import CrossSiteRefused, ServiceRefused

SIGN_IN: Final = "/sign-in"
_LOCAL_PATH: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,500}")
_DONE: Final = re.compile(r"[a-z_]{1,40}\.[a-z_]{1,40}")


@dataclass(slots=True, kw_only=True)
class Visit:
    """One request of a person."""

    request: Request
    frame: Frame
    language: Language
    csrf: str
    """What every form of the page carries."""
    api: ApiClient
    person: Person | None = None
    """Who it is; None on pages for everybody, if nobody is known."""
    form: Form = field(default_factory=Form)
    """What was sent with it; empty for what only reads."""

    @property
    def t(self) -> Texts:
        """The texts of the person's language."""
        return self.frame.texts[self.language]

    @property
    def f(self) -> Formats:
        """The formats of the person's language."""
        return Formats(self.language, self.frame.zone)

    @property
    def is_partial(self) -> bool:
        """Whether htmx asks, for a part of the page."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def here(self) -> str:
        """The page's own path and query, to come back to."""
        url = self.request.url
        return f"{url.path}?{url.query}" if url.query else url.path

    @property
    def done(self) -> str | None:
        """The text for what the last form did, where the address names one."""
        named = self.request.query_params.get("done", "")
        if not _DONE.fullmatch(named):
            return None
        key = ".done.".join(named.split(".", 1))
        return self.t(key) if self.t.has(key) else None

    @property
    def now(self) -> datetime:
        """The time, by the service's clock."""
        return self.frame.clock()

    def may(self, permission: str, scenario: str | None = None) -> bool:
        """Whether the person may do that there."""
        return self.person is not None and self.person.may(permission, scenario)

    def may_somewhere(self, permission: str) -> bool:
        """Whether there is any scenario in which the person may do that."""
        return self.person is not None and self.person.may_somewhere(permission)

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """The page that a template makes, in the person's language."""
        return self.frame.respond(self, template, status, context)

    def go(self, path: str, *, done: str | None = None) -> Response:
        """Send the browser on after a form; `done` is what the next page says: `area.text` for `area.done.text`."""
        if done:
            path += ("&" if "?" in path else "?") + urlencode({"done": done})
        if self.is_partial:
            return Response(status_code=200, headers={"HX-Redirect": path})
        return RedirectResponse(path, int(HTTPStatus.SEE_OTHER))


def local_path(path: str | None, otherwise: str = "/") -> str:
    """The path, if it is one of this service.

    >>> [local_path(p) for p in ("/goals?x=1", "//evil.example", "https://evil.example", None)]
    ['/goals?x=1', '/', '/', '/']
    """
    return path if path and _LOCAL_PATH.fullmatch(path) else otherwise


async def stranger(request: Request) -> Visit:
    """A visit of whoever it is, for pages that everybody may see.

    Raises:
        CrossSiteRefused: If it writes, and the form isn't one of the browser's own.
    """
    frame: Frame = request.app.state.frame
    cookies = frame.cookies
    known = cookies.csrf.read(request)
    chosen = LANGUAGES.get(cookies.language.read(request) or "")
    visit = Visit(
        request=request,
        frame=frame,
        language=chosen or preferred(request.headers.get("accept-language", "")),
        csrf=known or new_secret(),
        api=ApiClient(frame.transport, request, **frame.credentials(request)),
    )
    request.state.visit = visit
    if request.method not in SAFE_METHODS:
        visit.form = await read_form(request, frame.config.form_limit_bytes)
        if not is_own_form(known, request.headers.get(CSRF_HEADER) or visit.form[CSRF_FIELD]):
            raise CrossSiteRefused("the form isn't one of this browser's own", hint="Load the page again.")
    return visit


async def visitor(visit: Annotated[Visit, Depends(stranger)]) -> Visit:
    """A visit of somebody known.

    Raises:
        ServiceRefused: If nobody knows who it is.
    """
    visit.person = Person.of(await visit.api.get("/v1/me"))
    return visit


async def perhaps_known(visit: Annotated[Visit, Depends(stranger)]) -> Visit:
    """A visit of somebody who may be known, for pages that strangers see as well.

    Raises:
        ServiceRefused: If the interface can't say who it is.
    """
    try:
        return await visitor(visit)
    except ServiceRefused as exc:
        if exc.status != HTTPStatus.UNAUTHORIZED:
            raise
        return visit


Visiting = Annotated[Visit, Depends(visitor)]
"""A visit of somebody known; who isn't is sent to sign in."""
Anybody = Annotated[Visit, Depends(perhaps_known)]
"""A visit of anybody."""
