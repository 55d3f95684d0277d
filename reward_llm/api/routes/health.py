"""Probes and metrics."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from reward_llm.api.access.permissions import everybody, needs
from reward_llm.api.lookup_context import LookupContext, LookupHere
from reward_llm.api.wire.health import Check, Liveness, Readiness, ReadinessWire
from reward_llm.domain.access import Permission
from reward_llm.domain.serving import Freshness
from reward_llm.errors import RewardLLMError

router = APIRouter(tags=["operations"])


@router.get("/livez", summary="Is the process alive?", response_model=Liveness, dependencies=[everybody()])
async def livez() -> Liveness:
    """Always 200; nothing else is asked."""
    return Liveness()


@router.get(
    "/readyz",
    summary="Can traffic be sent here?",
    response_model=ReadinessWire,
    responses={503: {"model": ReadinessWire, "description": "What is active was never read."}},
    dependencies=[everybody()],
)
async def readyz(request: Request, response: Response, here: LookupHere) -> ReadinessWire:
    """200 while weights can be served, as `degraded` if a part is away; 503 until the database was read once.

    The details are for those who may read something.
    """
    checks = await checks_of(here)
    status = readiness_of(here.services.board.freshness(here.services.clock()), checks)
    if not await _may_know(request, here):
        checks = {name: Check(ok=check.ok, detail="") for name, check in checks.items()}
    if status is Readiness.UNREADY:
        response.status_code = 503
    return ReadinessWire(status=status, checks=checks)


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    dependencies=[needs(Permission.READ)],
)
async def metrics(here: LookupHere) -> Response:
    """Counters and histograms in the text format."""
    return Response(here.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)


async def checks_of(here: LookupContext) -> Mapping[str, Check]:
    """How each part is, by name."""
    pings = await here.pings()
    freshness = here.services.board.freshness(here.services.clock())
    confirmed = f"confirmed {freshness.age_s:.1f} s ago" if freshness.confirmed else "never confirmed"
    return {**pings, "board": Check(ok=not freshness.stale, detail=confirmed), "feed": _heard(here)}


def readiness_of(freshness: Freshness, checks: Mapping[str, Check]) -> Readiness:
    """How much of the service works."""
    if not freshness.confirmed:
        return Readiness.UNREADY
    return Readiness.READY if all(check.ok for check in checks.values()) else Readiness.DEGRADED


def _heard(here: LookupContext) -> Check:
    """How the feed is; without it, changes are found by looking for them."""
    status = here.services.feed.status()
    return Check(ok=status.connected, detail=f"{status.kind}: {status.detail}")


async def _may_know(request: Request, here: LookupContext) -> bool:
    """Whether who asks may be told what is wrong: addresses and names may be in it."""
    try:
        principal = await here.doorkeeper.principal(request)
    except RewardLLMError:
        return False
    return principal.may_somewhere(Permission.READ)
