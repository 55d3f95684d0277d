"""How the service is, for people who look after it; probes have routes of their own."""

from __future__ import annotations

from fastapi import APIRouter

from reward_llm import __version__
from reward_llm.api.access.permissions import Where, needs
from reward_llm.api.context import Here
from reward_llm.api.routes.health import checks_of, readiness_of
from reward_llm.api.wire.base import Listing
from reward_llm.api.wire.service_health import (
    BoardWire,
    FeedWire,
    ReadersWire,
    RecentErrorWire,
    ServiceHealthWire,
)
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/v1/health", tags=["operations"])


@router.get(
    "",
    summary="How is this process?",
    response_model=ServiceHealthWire,
    dependencies=[needs(Permission.READ, Where.SOMEWHERE)],
)
async def get_health(here: Here) -> ServiceHealthWire:
    """The parts of the process that answers, who reads goals in it, and how fresh what it serves is."""
    services, now = here.services, here.services.clock()
    freshness, checks = services.board.freshness(now), await checks_of(here)
    model = checks["model"]
    return ServiceHealthWire(
        version=__version__,
        started_at=here.started_at,
        as_of=now,
        status=readiness_of(freshness, checks),
        checks=checks,
        readers=ReadersWire(backends=list(services.workshop.backends), ok=model.ok, detail=model.detail),
        board=BoardWire.of(services.board.revision, freshness),
        feed=FeedWire.of(services.feed.status()),
        subscribers=services.notices.subscribers,
    )


@router.get(
    "/errors",
    summary="List the last errors",
    response_model=Listing[RecentErrorWire],
    dependencies=[needs(Permission.READ)],
)
async def list_errors(here: Here) -> Listing[RecentErrorWire]:
    """The last answers of this process with a status of 500 or more, newest first; a restart forgets them."""
    return Listing(items=[RecentErrorWire.of(error) for error in here.errors.newest_first()])
