"""Problem documents (RFC 9457): the one place where errors become answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from reward_llm import errors
from reward_llm.api.edge.outgoing import CLOSED
from reward_llm.api.lookup_context import LookupContext
from reward_llm.api.recent_errors import RecentError, shown
from reward_llm.api.wire.problem import DifferenceWire, Problem, ViolationWire
from reward_llm.errors import InvalidInput, PreconditionFailed, RateLimited, RewardLLMError, Violation

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 2
CHALLENGE: Final = 'Bearer realm="reward-llm"'
"""How to prove who one is (RFC 6750, section 3)."""

_STATUS: Final[Mapping[type[RewardLLMError], HTTPStatus]] = {
    errors.BodyMalformed: HTTPStatus.BAD_REQUEST,
    errors.BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.BodyTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    errors.HeadersTooLarge: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.HostUnknown: HTTPStatus.MISDIRECTED_REQUEST,
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.IdempotencyConflict: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.PreconditionRequired: HTTPStatus.PRECONDITION_REQUIRED,
    errors.PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    errors.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ProviderUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.GateRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.CheckpointsUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.EventsUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.MetricsUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.TooManySubscribers: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.RankerUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.RankerBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.SimulatorUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.SearchUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ModelError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.EvaluationTimeout: HTTPStatus.GATEWAY_TIMEOUT,
    errors.RewardLLMError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status of an error is that of its nearest ancestor here."""

_log = structlog.get_logger(__name__)


def install(app: FastAPI) -> None:
    """Answer every error of the application with a problem document."""
    app.add_exception_handler(RewardLLMError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_unexpected)


def violations_of(details: list[ErrorDetails]) -> tuple[Violation, ...]:
    """What pydantic found, without the values that it found."""
    return tuple(
        Violation(path="/".join(map(str, d["loc"])), code=d["type"], message=_sentence(d["msg"])) for d in details
    )


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")


async def _on_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RewardLLMError)  # noqa: S101 - Starlette types handlers by their base
    status = next(_STATUS[c] for c in type(exc).__mro__ if c in _STATUS)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("request.failed", code=exc.code, error=exc.message)
    headers = {"Retry-After": str(_retry_after_s(exc))} if exc.retryable else {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = CHALLENGE
    return _answer(
        request,
        status,
        exc.code,
        exc.message,
        hint=exc.hint,
        violations=exc.violations,
        comparison=_comparison(exc) | _evidence(exc),
        headers=headers,
    )


async def _on_validation_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)  # noqa: S101
    error = InvalidInput("the request can't be used", violations=violations_of(list(exc.errors())))
    return await _on_error(request, error)


async def _on_http_exception(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101
    status = HTTPStatus(exc.status_code)
    code = status.phrase.lower().replace(" ", "_")
    detail = f"{request.method} {request.url.path}: {exc.detail}"
    return _answer(request, status, code, detail, headers=exc.headers or {})


async def _on_unexpected(request: Request, exc: Exception) -> Response:
    _log.error("request.crashed", request_id=request_id(request), exc_info=exc)
    return _answer(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "something went wrong that isn't your fault",
        hint=f"It is in the log under {request_id(request)}.",
        headers=CLOSED,
    )


async def answer_to(request: Request, error: RewardLLMError) -> Response:
    """The problem document of an error that was found before any route was."""
    return await _on_error(request, error)


def _retry_after_s(exc: RewardLLMError) -> int:
    return math.ceil(exc.retry_after_s) if isinstance(exc, RateLimited) else RETRY_AFTER_S


def request_id(request: Request) -> str:
    """The id under which the request stands in the log."""
    return str(request.scope.get("state", {}).get("request_id", "unknown"))


def _comparison(exc: RewardLLMError) -> dict[str, Any]:
    """The version now, and what was sent beside it; nulls in them mean something."""
    if not isinstance(exc, PreconditionFailed):
        return {}
    parted = [DifferenceWire(path=d.path, yours=d.yours, current=d.current) for d in exc.differences]
    now = {} if exc.current is None else {"current": exc.current}
    comparison: dict[str, Any] = _encodable_document({**now, "differences": [d.model_dump() for d in parted]})
    return comparison


def _evidence(exc: RewardLLMError) -> dict[str, Any]:
    """What was measured of a version that fell short."""
    return {"evidence": _encodable_document(exc.evidence)} if isinstance(exc, errors.EvaluationBelow) else {}


def _answer(
    request: Request,
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    hint: str | None = None,
    violations: tuple[Violation, ...] = (),
    comparison: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    problem = Problem(
        type=f"urn:reward-llm:problem:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        detail=_encodable(detail),
        instance=f"urn:uuid:{request_id(request)}",
        code=code,
        hint=_encodable(hint) if hint else None,
        violations=[
            ViolationWire(path=_encodable(v.path), code=v.code, message=_encodable(v.message)) for v in violations
        ]
        or None,
    )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _remember(request, problem)
    content: dict[str, Any] = {**problem.model_dump(mode="json", exclude_none=True), **(comparison or {})}
    return JSONResponse(
        content,
        int(status),
        headers={**(headers or {}), "X-Request-ID": request_id(request)},
        media_type=MEDIA_TYPE,
    )


def _remember(request: Request, problem: Problem) -> None:
    context: LookupContext = request.app.state.context
    error = RecentError(
        at=context.services.clock(),
        method=request.method,
        path=shown(request.url.path),
        status=problem.status,
        code=problem.code,
        detail=shown(problem.detail),
        request_id=request_id(request),
    )
    context.errors.add(error)


def _encodable_document(document: Any) -> Any:
    if isinstance(document, Mapping):
        return {_encodable(name): _encodable_document(value) for name, value in document.items()}
    if isinstance(document, list):
        return [_encodable_document(item) for item in document]
    return _encodable(document) if isinstance(document, str) else document


def _encodable(text: str) -> str:
    """The text with lone surrogates written out, which UTF-8 doesn't have."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
