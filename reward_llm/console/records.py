"""What areas over one collection of the interface share: a list with a form below it, and what is done with one.

    list_page   GET /v1/<area>            ─► <area>/list.html
    make        POST /v1/<area>           ─► the page of what was made
    act         POST /v1/<area>/<id>/…    ─► its page again

What the interface refuses of a form is shown on the page that has the form, with what was written.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from starlette.responses import Response

from reward_llm.console.visit import Visit
from reward_llm.errors import ServiceRefused

Again: TypeAlias = Callable[[ServiceRefused], Awaitable[Response]]
"""Makes the page that a form was on, with what was refused."""
_PAGE: Final = 20


async def list_page(
    visit: Visit, area: str, refusal: ServiceRefused | None, query: Mapping[str, str], **context: Any
) -> Response:
    """The area's list, as far as `query` asks for it; the context is what its form needs."""
    try:
        page = await visit.api.get(f"/v1/{area}", limit=_PAGE, **query)
    except ServiceRefused as exc:
        page, refusal = {"items": [], "next_cursor": None}, refusal or exc
    status = refusal.status if refusal else 200
    return visit.page(f"{area}/list.html", status=status, page=page, refusal=refusal, **context)


async def make(visit: Visit, area: str, sent: Mapping[str, Any], again: Again) -> Response:
    """Have what a form asks for made, and go to its page."""
    try:
        made = await visit.api.post(f"/v1/{area}", sent, key=visit.form["key"])
    except ServiceRefused as exc:
        return await again(exc)
    return visit.go(f"/{area}/{made['id']}")


async def act(visit: Visit, path: str, deed: str, sent: Mapping[str, Any], again: Again, *, done: str) -> Response:
    """Have something done with what is at a path, and go back to its page, which says `done`."""
    try:
        await visit.api.post(f"/v1{path}/{deed}", sent, key=visit.form["key"])
    except ServiceRefused as exc:
        return await again(exc)
    return visit.go(path, done=done)
