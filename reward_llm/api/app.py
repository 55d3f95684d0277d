"""The application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI

from reward_llm import __version__
from reward_llm.api import openapi, problems
from reward_llm.api.context import Context
from reward_llm.api.goal_desk import GoalDesk
from reward_llm.api.metrics import Metrics
from reward_llm.api.requestlog import RequestLog
from reward_llm.api.routes import audit, goals, health, policies, scenarios, weights
from reward_llm.api.services import Services
from reward_llm.domain.policy import RewardPolicy, default_policy
from reward_llm.domain.scenario import Scenario
from reward_llm.errors import StoreUnavailable

_DESCRIPTION = """
A business goal goes in; a checked interpretation and weights over named utilities come out, are activated by
people and served to a re-ranker. Errors are problem documents (RFC 9457), lists page by `cursor`, and writes take
an `Idempotency-Key`.
"""
_log = structlog.get_logger(__name__)


def create_app(services: Services) -> FastAPI:
    """The HTTP interface over the services."""
    app = FastAPI(
        title="reward_llm",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = _context(services)
    app.add_middleware(RequestLog)
    problems.install(app)
    openapi.install(app)
    for routes in (goals, policies, weights, scenarios, audit, health):
        app.include_router(routes.router)
    return app


def _context(services: Services) -> Context:
    metrics = Metrics(services.board, services.clock)
    made = [p for s in services.scenarios.values() for p in _defaults(s, services)]
    return Context(
        services=services,
        desk=GoalDesk(services, metrics),
        metrics=metrics,
        defaults={p.policy_id: p for p in made},
    )


def _defaults(scenario: Scenario, services: Services) -> list[RewardPolicy]:
    segments = (None, *(s.name for s in scenario.segments))
    return [default_policy(scenario, segment, services.clock()) for segment in segments]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    context: Context = app.state.context
    services = context.services
    try:
        await services.board.refresh()
    except StoreUnavailable as exc:
        _log.warning("board.empty", error=exc.message)
    try:
        async with _meanwhile(services.board.keep_fresh(), context.desk.keep_swept()):
            yield
    finally:
        await context.desk.aclose()
        for close in services.closers:
            await close()


@asynccontextmanager
async def _meanwhile(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
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
