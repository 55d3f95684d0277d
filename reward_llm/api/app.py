"""The application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import structlog
from fastapi import Depends, FastAPI

from reward_llm import __version__
from reward_llm.api import openapi, problems
from reward_llm.api.access.bearer import BearerTokens
from reward_llm.api.access.doorkeeper import Doorkeeper, WayIn
from reward_llm.api.access.permissions import entry
from reward_llm.api.context import Context
from reward_llm.api.edge import install as edge
from reward_llm.api.edge.throttle import throttled
from reward_llm.api.goal_desk import GoalDesk
from reward_llm.api.metrics import Metrics
from reward_llm.api.probes import pinged
from reward_llm.api.prompt_bench import PromptBench
from reward_llm.api.prompt_desk import PromptDesk
from reward_llm.api.routes import (
    activations,
    audit,
    goals,
    health,
    policies,
    prompt_bench,
    prompt_labels,
    prompts,
    reviews,
    scenarios,
    scopes,
    sign_in,
    tokens,
    webhooks,
    weights,
)
from reward_llm.api.services import Services
from reward_llm.api.shared import Shared
from reward_llm.api.sign_in.desk import SignInDesk
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
        dependencies=[Depends(entry), Depends(throttled)],
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = _context(services)
    edge.install(app, services.config.edge, services.clock)
    problems.install(app)
    openapi.install(app)
    governed = (goals, policies, reviews, activations, scopes, weights)
    prompting = (prompts, prompt_labels, prompt_bench)
    for routes in (*governed, *prompting, scenarios, sign_in, tokens, webhooks, audit, health):
        app.include_router(routes.router)
    return app


def _context(services: Services) -> Context:
    metrics = Metrics(services.board, services.clock)
    signing_in, bench = _sign_in_desk(services), PromptBench(services)
    made = [p for s in services.scenarios.values() for p in _defaults(s, services)]
    return Context(
        services=services,
        desk=GoalDesk(services, metrics),
        prompts=PromptDesk(services, bench),
        bench=bench,
        metrics=metrics,
        doorkeeper=_doorkeeper(services, signing_in),
        sign_in=signing_in,
        defaults={p.policy_id: p for p in made},
        pings=Shared(partial(pinged, services)),
        verification=Shared(services.auditor.verification),
    )


def _sign_in_desk(services: Services) -> SignInDesk | None:
    return SignInDesk(services.sign_in, services.config.edge, services.clock) if services.sign_in else None


def _doorkeeper(services: Services, signing_in: SignInDesk | None) -> Doorkeeper:
    bearer = BearerTokens(services.tokens, services.clock)
    ways: list[WayIn] = [bearer, *([signing_in.principal] if signing_in else [])]
    return Doorkeeper(services.config.access, ways=ways, closers=[bearer.aclose])


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
        more = (work() for work in services.background)
        async with _meanwhile(services.board.keep_fresh(), context.desk.keep_swept(), *more):
            yield
    finally:
        await context.desk.aclose()
        await context.doorkeeper.aclose()
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
