"""The description of the interface."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from reward_llm.api.problems import MEDIA_TYPE
from reward_llm.api.wire.problem import Problem

_FIRST_ERROR = 400
_PROBLEMS = {
    400: "The body isn't one JSON document in UTF-8.",
    404: "Nothing by that name.",
    409: "The same request is still being worked on; try again.",
    413: "The body is too large.",
    422: "What was sent can't be used; `violations` says where.",
    503: "The database is away; try again after `Retry-After` seconds.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem documents that a route may answer with."""
    return {s: {"model": Problem, "description": _PROBLEMS[s]} for s in statuses}


def json_body(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """The body of a route that reads it by itself."""
    schema = model.model_json_schema()
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}


def install(app: FastAPI) -> None:
    """Describe errors as what they are: problem documents."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            for path in document["paths"].values():
                for operation in path.values():
                    _as_problems(operation["responses"])
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _as_problems(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        content = response.get("content", {})
        if int(status) >= _FIRST_ERROR and "application/json" in content:
            content[MEDIA_TYPE] = content.pop("application/json")
