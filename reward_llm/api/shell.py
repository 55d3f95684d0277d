"""What every application has around its routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import structlog
from fastapi import APIRouter, Depends, FastAPI
from starlette.types import Receive, Scope, Send

from reward_llm import __version__
from reward_llm.api import openapi, problems
from reward_llm.api.access.permissions import entry
from reward_llm.api.edge import install as edge
from reward_llm.api.edge.throttle import throttled
from reward_llm.api.lane.lane import Lane
from reward_llm.api.lookup_context import LookupContext
from reward_llm.api.lookup_services import LookupServices
from reward_llm.errors import StoreUnavailable

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
Work = Coroutine[Any, Any, None]
Closer = Callable[[], Awaitable[None]]
_TITLE: Final = "reward_llm"
_log = structlog.get_logger(__name__)


class _Application(FastAPI):
    """An application behind its lane, which is in front even of the framework."""

    def open_lane(self, context: LookupContext) -> None:
        """Have the lane answer what it can; nothing is answered before."""
        self._lane = Lane(super().__call__, context=context, throttle=self.state.throttle)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        await self._lane(scope, receive, send)


def shell(context: LookupContext, routers: Iterable[APIRouter], *, description: str, lifespan: Lifespan) -> FastAPI:
    """An application of these routes, behind the edge."""
    app = _Application(
        title=_TITLE,
        version=__version__,
        description=description,
        lifespan=lifespan,
        dependencies=[Depends(entry), Depends(throttled)],
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = context
    edge.install(app, context.services.config.edge, context.services.clock)
    app.open_lane(context)
    problems.install(app)
    openapi.install(app)
    for router in routers:
        app.include_router(router)
    return app


@asynccontextmanager
async def serving(services: LookupServices, *more: Work, closers: Iterable[Closer] = ()) -> AsyncIterator[None]:
    """Keep what is served fresh and have the other works done; in the end close these, and then the services."""
    try:
        await services.board.refresh()
    except StoreUnavailable as exc:
        _log.warning("board.empty", error=exc.message)
    try:
        own = (services.board.keep_fresh(), services.feed.run(services.board.wake), services.notices.run())
        async with _meanwhile(*own, *more, *(work() for work in services.background)):
            yield
    finally:
        for close in (*closers, *services.closers):
            await close()


@asynccontextmanager
async def _meanwhile(*works: Work) -> AsyncIterator[None]:
    """Have the works done in the background while the block runs."""
    tasks = [asyncio.create_task(w) for w in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                _log.error("background.crashed", exc_info=outcome)
