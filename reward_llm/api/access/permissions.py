"""What each route needs of who calls it.

    every request ─► entry: who calls? or 401 ─► the route's need: may they? or 403 ─► the route
                       │ a route that declares nothing: 403

    @router.get("/v1/weights/{scenario}", dependencies=[needs(Permission.READ)])            its scenario
    @router.put("/v1/prompts/{name}/labels/{label}", dependencies=[needs(Permission.EDIT)]) all scenarios
    @router.get("/v1/goals/{goal_id}", dependencies=[needs(Permission.READ, of_goal)])      the goal's scenario
    @router.get("/v1/goals", dependencies=[needs(Permission.READ, Where.LISTED)])           the route asks `caller`

What isn't said is taken for the strictest: who holds a permission in one scenario only is refused by a route that
doesn't say which scenario it touches.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

import structlog
from fastapi import Depends, Request
from fastapi.routing import APIRoute

from reward_llm.api.access.doorkeeper import Doorkeeper, principal_of
from reward_llm.domain.access import AccessMode, Permission, Principal
from reward_llm.errors import Forbidden

_log = structlog.get_logger(__name__)


class Where(Enum):
    """In which scenarios a permission must be held."""

    EVERYWHERE = "everywhere"
    """In all, because what the route touches belongs to none of them, or to all."""
    SOMEWHERE = "somewhere"
    """In any: the route shows nothing of a scenario."""
    LISTED = "listed"
    """In those of the items, which the route finds out with `Caller.scenarios`."""
    IN_BODY = "in_body"
    """In the body's, for which the route calls `Caller.require`."""


ScenarioOf = Callable[[Request], Awaitable[str | None]]
"""Finds the scenario of what a request touches; None for what belongs to none."""


class Caller:
    """Who calls a route whose permission depends on more than its path."""

    def __init__(self, principal: Principal, permission: Permission) -> None:
        self.principal = principal
        self.permission = permission
        self.was_asked = False

    def require(self, scenario: str | None) -> None:
        """Accept what they may do in the scenario.

        Raises:
            Forbidden: If they may not do what the route does there.
        """
        self.was_asked = True
        self.principal.require(self.permission, scenario)

    def scenarios(self, named: str | None = None) -> frozenset[str] | None:
        """The scenarios whose items they may have, None for all; `named` is the one that they ask for.

        Raises:
            Forbidden: If they name one whose items they may not have.
        """
        self.was_asked = True
        if named is not None:
            self.principal.require(self.permission, named)
            return frozenset({named})
        return self.principal.scenarios(self.permission)


@dataclass(frozen=True, slots=True)
class Need:
    """That a permission is held; None lets everybody in."""

    permission: Permission | None
    where: Where | ScenarioOf | None = None

    async def __call__(self, request: Request) -> None:
        """Let the request through, if its principal may.

        Raises:
            Forbidden: If they may not.
        """
        if self.permission is None:
            return
        principal = principal_of(request)
        if principal.may(self.permission, None):
            return
        scenario = None
        allowed = principal.may_somewhere(self.permission)
        if allowed and self.where is not Where.SOMEWHERE:
            scenario = await self._scenario(request)
            allowed = principal.may(self.permission, scenario)
        if not allowed:
            raise _refused(request, principal.refusal(self.permission, scenario))

    async def _scenario(self, request: Request) -> str | None:
        if callable(self.where):
            return await self.where(request)
        return request.path_params.get("scenario") if self.where is None else None


@dataclass(frozen=True, slots=True)
class AskingNeed:
    """That a permission is held where the route finds out that it must be."""

    permission: Permission
    where: Where

    async def __call__(self, request: Request) -> AsyncIterator[None]:
        """Let the route ask, and refuse to answer if it didn't.

        Raises:
            Forbidden: If the permission is held nowhere.
        """
        principal = principal_of(request)
        if not principal.may_somewhere(self.permission):
            raise _refused(request, principal.refusal(self.permission, None))
        caller = request.state.caller = Caller(principal, self.permission)
        try:
            yield
        except Forbidden as exc:
            raise _refused(request, exc) from None
        if not caller.was_asked:
            raise AssertionError(f"{request.scope['route'].path} declares {self.where} and never asked its caller")


def needs(permission: Permission, where: Where | ScenarioOf | None = None) -> Any:
    """The declaration that a route is for those who hold a permission.

    Args:
        permission: What must be held.
        where: In which scenarios; None is in the path's `{scenario}`, and in all if the path has none.
    """
    if where in {Where.LISTED, Where.IN_BODY}:
        assert isinstance(where, Where)  # noqa: S101 - sets don't narrow
        return Depends(AskingNeed(permission, where), scope="function")
    return Depends(Need(permission, where))


def everybody() -> Any:
    """The declaration that a route is for everybody, known or not."""
    return Depends(Need(None))


def declared_need(route: APIRoute) -> Need | AskingNeed | None:
    """What a route declares, None if it declares nothing."""
    found = [d.dependency for d in route.dependencies]
    return next((d for d in found if isinstance(d, Need | AskingNeed)), None)


async def entry(request: Request) -> None:
    """Find out who calls, and turn away those who ask for a route that nobody said who may have.

    Raises:
        Unauthenticated: If nobody knows who calls, and the route isn't for everybody.
        Forbidden: If the route declares no need.
    """
    doorkeeper: Doorkeeper = request.app.state.context.doorkeeper
    need = declared_need(request.scope["route"])
    request.state.principal = doorkeeper.stranger
    if need is None and doorkeeper.mode is not AccessMode.OPEN:
        raise _refused(request, Forbidden(f"nobody may use {request.url.path}: it declares no permission"))
    if need is None or need.permission is not None:
        request.state.principal = await doorkeeper.principal(request)


async def _caller_of(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


Calling = Annotated[Caller, Depends(_caller_of)]
"""Who calls, for routes whose need is `Where.LISTED` or `Where.IN_BODY`."""


def _refused(request: Request, refusal: Forbidden) -> Forbidden:
    _log.warning("access.refused", principal=principal_of(request).name, detail=refusal.message)
    return refusal
