"""Probes and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from reward_llm.api.context import Context, Here
from reward_llm.api.wire.health import Check, Liveness, Readiness, ReadinessWire
from reward_llm.errors import RewardLLMError

router = APIRouter(tags=["operations"])


@router.get("/livez", summary="Is the process alive?", response_model=Liveness)
async def livez() -> Liveness:
    """Always 200; nothing else is asked."""
    return Liveness()


@router.get(
    "/readyz",
    summary="Can traffic be sent here?",
    response_model=ReadinessWire,
    responses={503: {"model": ReadinessWire, "description": "What is active was never read."}},
)
async def readyz(response: Response, here: Here) -> ReadinessWire:
    """200 while weights can be served, as `degraded` if a part is away; 503 until the database was read once."""
    store, model = await asyncio.gather(
        _ping(here, here.services.store.ping(), "the database answers"), _ping_model(here)
    )
    freshness = here.services.board.freshness(here.services.clock())
    confirmed = f"confirmed {freshness.age_s:.1f} s ago" if freshness.confirmed else "never confirmed"
    checks = {"store": store, "model": model, "board": Check(ok=not freshness.stale, detail=confirmed)}
    if not freshness.confirmed:
        response.status_code = 503
        return ReadinessWire(status=Readiness.UNREADY, checks=checks)
    healthy = all(c.ok for c in checks.values())
    return ReadinessWire(status=Readiness.READY if healthy else Readiness.DEGRADED, checks=checks)


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(here: Here) -> Response:
    """Counters and histograms in the text format."""
    return Response(here.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)


async def _ping_model(here: Context) -> Check:
    model = here.services.model
    if model is None:
        return Check(ok=True, detail="goals are read by rules alone")
    return await _ping(here, model.ping(), "the model answers")


async def _ping(here: Context, ping: Awaitable[object], fine: str) -> Check:
    limit_s = here.services.config.ping_s
    try:
        async with asyncio.timeout(limit_s):
            name = await ping
    except TimeoutError:
        return Check(ok=False, detail=f"no answer within {limit_s:g} s")
    except RewardLLMError as exc:
        return Check(ok=False, detail=exc.message)
    return Check(ok=True, detail=f"{fine}: {name}" if name else fine)
