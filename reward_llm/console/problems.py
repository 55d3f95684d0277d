"""The one place where problems become pages.

nobody known ─► reading: to sign in, and back here · writing: a page that keeps what was written
anything else ─► a page that says what is wrong, what to do, and keeps what was written
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from reward_llm.console.security import CSRF_FIELD, SAFE_METHODS
from reward_llm.console.visit import SIGN_IN, Visit, stranger
from reward_llm.errors import BodyTooLarge, CrossSiteRefused, RewardLLMError, ServiceRefused

_STATUS: Final = {CrossSiteRefused: HTTPStatus.FORBIDDEN, BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
_log = structlog.get_logger(__name__)


def install(app: FastAPI) -> None:
    """Answer every error of the pages with a page."""
    app.add_exception_handler(ServiceRefused, _on_refusal)
    app.add_exception_handler(RewardLLMError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_unexpected)


def problem_page(visit: Visit, refusal: ServiceRefused) -> Response:
    """The page, or for htmx the part of one, that says what the interface refuses."""
    if refusal.status == HTTPStatus.UNAUTHORIZED and visit.request.method in SAFE_METHODS:
        return visit.go(f"{SIGN_IN}?{urlencode({'to': visit.here, 'over': '1'})}")
    return visit.page(
        "problem.html",
        status=refusal.status,
        problem=refusal,
        kept=[(name, value) for name, value in visit.form.fields if name != CSRF_FIELD],
    )


async def _on_refusal(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, ServiceRefused)  # noqa: S101 - Starlette types handlers by their base
    return problem_page(await _visit(request), exc)


async def _on_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RewardLLMError)  # noqa: S101
    status = next((s for kind, s in _STATUS.items() if isinstance(exc, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("page.failed", code=exc.code, error=exc.message)
    return await _page(request, int(status), exc.code, exc.message, exc.hint)


async def _on_validation_error(request: Request, exc: Exception) -> Response:
    return await _page(request, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_input", "the address can't be used")


async def _on_http_exception(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101
    status = HTTPStatus(exc.status_code)
    return await _page(request, status, status.phrase.lower().replace(" ", "_"), request.url.path)


async def _on_unexpected(request: Request, exc: Exception) -> Response:
    _log.error("page.crashed", exc_info=exc)
    return await _page(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "")


async def _page(request: Request, status: int, code: str, detail: str, hint: str | None = None) -> Response:
    problem = {"status": int(status), "code": code}
    return problem_page(await _visit(request), ServiceRefused(detail, hint=hint, problem=problem))


async def _visit(request: Request) -> Visit:
    """The request's own visit; where there is none yet, that of a stranger who reads."""
    known = getattr(request.state, "visit", None)
    if isinstance(known, Visit):
        return known
    reading = Request({**request.scope, "method": "GET"}, request.receive)
    return await stranger(reading)
