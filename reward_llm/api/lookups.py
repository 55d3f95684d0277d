"""Looking weights up: the routes that do, and an application of these alone.

It reads the database and serves; there is no model in it, and nothing that it does changes what is served.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from fastapi import APIRouter, FastAPI

from reward_llm.api.access.bearer import BearerTokens
from reward_llm.api.access.doorkeeper import Doorkeeper
from reward_llm.api.catching_up import CatchingUp
from reward_llm.api.lane.memo import Memo
from reward_llm.api.lookup_context import LookupContext
from reward_llm.api.lookup_services import LookupServices
from reward_llm.api.metrics import Metrics
from reward_llm.api.probes import pinged
from reward_llm.api.routes import events, health, ofrep, weights
from reward_llm.api.shared import Shared
from reward_llm.api.shell import serving, shell

ROUTERS: Final[tuple[APIRouter, ...]] = (events.router, weights.router, ofrep.router, health.router)
"""What every process answers. `events` comes before `weights`, to which any other name there is a scenario's."""
_DESCRIPTION: Final = """
Looks up the weights of a re-ranker, which change elsewhere. Errors are problem documents (RFC 9457).
"""


def create_lookup_app(services: LookupServices) -> FastAPI:
    """An HTTP interface that looks weights up, and does nothing else."""
    return shell(_context(services), ROUTERS, description=_DESCRIPTION, lifespan=_lifespan)


def _context(services: LookupServices) -> LookupContext:
    metrics = Metrics(services.board, services.clock)
    metrics.watch(services.feed, services.notices)
    bearer = BearerTokens(services.tokens, services.clock)
    return LookupContext(
        services=services,
        metrics=metrics,
        doorkeeper=Doorkeeper(services.config.access, ways=[bearer], closers=[bearer.aclose]),
        pings=Shared(partial(pinged, services)),
        catching_up=CatchingUp(services.board),
        memo=Memo(),
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    context: LookupContext = app.state.context
    async with serving(context.services, closers=(context.doorkeeper.aclose,)):
        yield
