"""The description of the interface."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from reward_llm.api.access.description import describe_access
from reward_llm.api.problems import MEDIA_TYPE
from reward_llm.api.wire.problem import Problem

_COMPONENTS = "#/components/schemas/"
_FIRST_ERROR = 400
_OF_ACCESS = (401, 403)
_OF_THE_EDGE = (400, 403, 408, 413, 421, 429, 431)
_PROBLEMS = {
    400: "The body isn't one JSON document in UTF-8.",
    401: "Nobody knows who asks: send a token as `Authorization: Bearer …`.",
    403: "Who asks may not do that.",
    404: "Nothing by that name.",
    408: "The body took too long to come.",
    409: "It contradicts what is stored, or is still being worked on; `code` says which.",
    412: "It changed since it was read; `current` and `differences` say how.",
    413: "The body is too large.",
    421: "The request is for another host.",
    422: "What was sent can't be used; `violations` says where.",
    428: "`If-Match` must say which version this is meant for.",
    429: "Too many requests; try again after `Retry-After` seconds.",
    431: "The headers are too large.",
    503: "The database is away; try again after `Retry-After` seconds.",
    504: "A golden set took longer to read than there is time for.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem documents that a route may answer with."""
    return {s: {"model": Problem, "description": _PROBLEMS[s]} for s in statuses}


def without_ranker() -> dict[int | str, dict[str, Any]]:
    """The problem document of a route that ranks."""
    description = "Nothing ranks here, or too much waits for it; `code` says which."
    return {503: {"model": Problem, "description": description}}


def without_simulator() -> dict[int | str, dict[str, Any]]:
    """The problem document of a route that simulates."""
    return {503: {"model": Problem, "description": "Nothing is simulated here."}}


def without_experiments() -> dict[int | str, dict[str, Any]]:
    """The problem document of a route of experiments."""
    return {503: {"model": Problem, "description": "Nobody here keeps metrics, or the database is away."}}


def without_searches() -> dict[int | str, dict[str, Any]]:
    """The problem document of a route that searches."""
    return {503: {"model": Problem, "description": "Nothing is searched here, or the database is away."}}


def without_events() -> dict[int | str, dict[str, Any]]:
    """The problem document of a route that takes or lives by events."""
    return {503: {"model": Problem, "description": "Events can't be kept now, or nobody here takes them."}}


def without_metrics() -> dict[int | str, dict[str, Any]]:
    """The problem document of a route that measures events."""
    return {503: {"model": Problem, "description": "Nobody here keeps metrics, or they can't be read now."}}


def etag_header(meaning: str) -> dict[str, Any]:
    """The `ETag` of an answer, which `If-Match` may name."""
    return {"headers": {"ETag": {"description": meaning, "schema": {"type": "string"}}}}


def json_body(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """The body of a route that reads it by itself."""
    schema = model.model_json_schema(ref_template=f"{_COMPONENTS}{{model}}")
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}


def install(app: FastAPI) -> None:
    """Describe errors as what they are: problem documents."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            describe_access(document, app.routes)
            for path in document["paths"].values():
                for operation in path.values():
                    _share_parts(operation, document["components"]["schemas"])
                    refusals = _OF_THE_EDGE + (_OF_ACCESS if "security" in operation else ())
                    operation["responses"] = _refusals(refusals) | operation["responses"]
                    _as_problems(operation["responses"])
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _share_parts(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Put what a body's schema refers to where references point."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        for name, part in media["schema"].pop("$defs", {}).items():
            schemas.setdefault(name, part)


def _refusals(statuses: Iterable[int]) -> dict[str, Any]:
    """The problem documents that are answered before a route is asked."""
    content = {"application/json": {"schema": {"$ref": f"{_COMPONENTS}{Problem.__name__}"}}}
    return {str(s): {"description": _PROBLEMS[s], "content": dict(content)} for s in statuses}


def _as_problems(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        content = response.get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        if int(status) >= _FIRST_ERROR and schema.get("$ref") == f"{_COMPONENTS}{Problem.__name__}":
            content[MEDIA_TYPE] = content.pop("application/json")
