"""The application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from reward_llm.api import lookups, online_desk
from reward_llm.api.access.bearer import BearerTokens
from reward_llm.api.access.doorkeeper import Doorkeeper, WayIn
from reward_llm.api.catching_up import CatchingUp
from reward_llm.api.context import Context
from reward_llm.api.goal_desk import GoalDesk
from reward_llm.api.lane.memo import Memo
from reward_llm.api.metrics import Metrics
from reward_llm.api.probes import pinged_with_model
from reward_llm.api.prompt_bench import PromptBench
from reward_llm.api.prompt_desk import PromptDesk
from reward_llm.api.routes import (
    activations,
    agents,
    audit,
    controllers,
    experiments,
    goals,
    intake,
    memory,
    online_metrics,
    policies,
    preview,
    prompt_bench,
    prompt_labels,
    prompts,
    ranker,
    rerank,
    reviews,
    scenarios,
    scopes,
    searches,
    service_health,
    sign_in,
    simulations,
    solving,
    tokens,
    webhooks,
    weighing,
)
from reward_llm.api.services import Services
from reward_llm.api.shared import Shared
from reward_llm.api.shell import serving, shell
from reward_llm.api.sign_in.desk import SignInDesk
from reward_llm.domain.policy import RewardPolicy, default_policy
from reward_llm.domain.scenario import Scenario

_DESCRIPTION = """
A business goal goes in; a checked interpretation and weights over named utilities come out, are activated by
people and served to a re-ranker. Errors are problem documents (RFC 9457), lists page by `cursor`, and writes take
an `Idempotency-Key`.
"""


def create_app(services: Services) -> FastAPI:
    """The HTTP interface over the services."""
    governed = (goals, solving, memory, policies, weighing, reviews, activations, scopes, controllers)
    prompting = (prompts, prompt_labels, prompt_bench)
    ranking = (rerank, preview, ranker, agents, intake, online_metrics)
    operating = (tokens, webhooks, audit, service_health)
    others = (*governed, *prompting, *ranking, simulations, searches, experiments, scenarios, sign_in, *operating)
    routers = (*(routes.router for routes in others), *lookups.ROUTERS)
    return shell(_context(services), routers, description=_DESCRIPTION, lifespan=_lifespan)


def _context(services: Services) -> Context:
    metrics = Metrics(services.board, services.clock)
    metrics.watch(services.feed, services.notices)
    if services.worker is not None:
        metrics.watch_worker(services.worker)
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
        pings=Shared(partial(pinged_with_model, services, services.model)),
        catching_up=CatchingUp(services.board),
        memo=Memo(),
        verification=Shared(services.auditor.verification),
        started_at=services.clock(),
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
    closers = (context.desk.aclose, context.doorkeeper.aclose)
    works = (context.desk.keep_swept(), online_desk.keep_told(context.services, context.metrics))
    async with serving(context.services, *works, closers=closers):
        yield
