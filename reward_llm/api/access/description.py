"""What the description of the interface says of access."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

from reward_llm.api.access.permissions import declared_need
from reward_llm.domain.access import ROLE_PERMISSIONS, Permission, Role

_SCHEME: Final = "token"


def describe_access(document: dict[str, Any], routes: Sequence[BaseRoute]) -> None:
    """Say of each operation which role it takes, and how to prove that one has it."""
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes[_SCHEME] = {"type": "http", "scheme": "bearer", "description": "An API token, `rlm_…`."}
    for context in iter_route_contexts(routes):
        need = declared_need(context.original_route) if isinstance(context.original_route, APIRoute) else None
        for method in context.methods or ():
            operation = document["paths"].get(context.path_format, {}).get(method.lower())
            if operation is not None and need is not None and need.permission is not None:
                _describe(operation, need.permission)


def _describe(operation: dict[str, Any], permission: Permission) -> None:
    operation["security"] = [{_SCHEME: []}]
    operation["x-permission"] = permission.value
    operation["x-least-role"] = next(r for r in Role if permission in ROLE_PERMISSIONS[r]).value
